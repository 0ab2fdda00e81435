"""The book of the checks: which were evaluated, and how the first that failed did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..scenario.model import Check, Scenario, Step
from .failure import Failed, SuiteFault


@dataclass
class Kept:
    """What is known of one check. `failed`: the first failure, and the step that saw it."""

    check: Check
    name: str
    evaluated: int = 0
    failed: Failed | None = None
    step: Step | None = None
    file: str = field(default="")


class Book:
    """All checks that a scenario declares, those of its rows one by one."""

    def __init__(self, scenario: Scenario, rows: Iterable[str]) -> None:
        self.kept: dict[str, Kept] = {}
        names = list(rows)
        for check in scenario.checks:
            if "${row.name}" not in check.name:
                self.kept[check.name] = Kept(check, check.name)
                continue
            for row in names:
                name = check.name.replace("${row.name}", row)
                self.kept[name] = Kept(check, name)

    def _get(self, name: str) -> Kept:
        if name not in self.kept:
            raise SuiteFault(f"the check {name!r} is not declared")
        return self.kept[name]

    def held(self, name: str) -> None:
        self._get(name).evaluated += 1

    def failed(self, name: str, step: Step, failed: Failed) -> None:
        kept = self._get(name)
        kept.evaluated += 1
        if kept.failed is None:
            kept.failed, kept.step = failed, step

    @property
    def complete(self) -> bool:
        """Whether every check was evaluated."""
        return all(kept.evaluated for kept in self.kept.values())
