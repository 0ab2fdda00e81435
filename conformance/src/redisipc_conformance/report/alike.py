"""Groups failed checks of one scenario that fail in the same way: one cause often fails dozens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..results import UNREACHED
from ..verdict.run import Finding


@dataclass(frozen=True)
class Alike:
    """The first of them is shown whole, the others by name."""

    first: Finding
    others: tuple[Finding, ...]

    @property
    def names(self) -> list[str]:
        return [finding.check.name for finding in self.others]


def alike(findings: Iterable[Finding]) -> list[Alike]:
    """Groups by verdict and message.

    A failure comes before the checks that it kept from being reached, and includes them.
    """
    groups: dict[tuple[str, str], list[Finding]] = {}
    ordered = sorted(findings, key=lambda finding: finding.check.message.startswith(UNREACHED))
    for finding in ordered:
        key = (finding.check.verdict.value, finding.check.message.removeprefix(UNREACHED))
        groups.setdefault(key, []).append(finding)
    return [Alike(group[0], tuple(group[1:])) for group in groups.values()]


def by_scenario(findings: Iterable[Finding]) -> list[list[Finding]]:
    """In the order in which they come."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.scenario.id, []).append(finding)
    return list(found.values())
