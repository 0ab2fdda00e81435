"""The frozen set (``requirements/<spec>.yaml``): which checks count for a version of the specification.

A check that is added later also runs. It is reported as late, and does not change the verdict of that version.
A check that is taken away without ``formerly:`` is a mistake, which is found here.

``python -m redisipc_conformance.verdict.frozen`` verifies the set; ``--write`` adds every new check to it, before a release
of the specification.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from ..files import suite_folder
from ..results import WHOLE_RUN, ScenarioResult
from ..scenario.corpus import IMPLICIT, corpus, declared_ids, named_checks, renamed_ids
from ..scenario.model import Scenario
from ..version import SPEC_VERSION

HEADER = """\
# The checks that count for RedisIPC {spec}. Nothing is ever taken out.
# Made by `python -m redisipc_conformance.verdict.frozen --write`.
# A check that is not in here is late: it runs and is reported, and changes no verdict.
"""


@dataclass(frozen=True)
class FrozenSet:
    """Ids of checks. ``checks`` None: nothing is frozen yet, everything counts."""

    spec: str
    checks: frozenset[str] | None = None

    @classmethod
    def load(cls, spec: str = SPEC_VERSION, folder: Path | None = None) -> FrozenSet:
        path = (folder or suite_folder() / "requirements") / f"{spec}.yaml"
        if not path.is_file():
            return cls(spec)
        data: dict[str, Any] = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        ids = {f"{scenario}/{check}" for scenario, checks in data["checks"].items() for check in checks}
        return cls(spec, frozenset(ids))

    def late(self, result: ScenarioResult, former: Mapping[str, tuple[str, ...]]) -> set[str]:
        """The names of the checks that are not in the set. ``former``: present id to earlier ids."""
        if self.checks is None:
            return set()
        declared = [check.name for check in result.checks if check.name not in IMPLICIT]
        found = {name for name in declared if not self._counts(f"{result.id}/{name}", former)}
        # A check without a declaration counts like any other one.
        return (
            {check.name for check in result.checks} if result.id != WHOLE_RUN and len(found) == len(declared) else found
        )

    def _counts(self, id: str, former: Mapping[str, tuple[str, ...]]) -> bool:
        return self.checks is None or not self.checks.isdisjoint((id, *former.get(id, ())))

    def missing(self, scenarios: Sequence[Scenario]) -> list[str]:
        """The checks of the set that are no longer in the suite, not even by another name."""
        if self.checks is None:
            return []
        return sorted(self.checks - declared_ids(scenarios) - renamed_ids(scenarios).keys())


def former_ids(scenarios: Iterable[Scenario]) -> dict[str, tuple[str, ...]]:
    """Present id to earlier ids, of all that have been renamed."""
    return {named.id: named.formerly for each in scenarios for named in named_checks(each) if named.formerly}


def text(spec: str, ids: Iterable[str]) -> str:
    """The file."""
    by_scenario: dict[str, list[str]] = {}
    for id in sorted(ids):
        scenario, _, check = id.rpartition("/")
        by_scenario.setdefault(scenario, []).append(check)
    lines = [f'spec: "{spec}"', "checks:"]
    for scenario, checks in by_scenario.items():
        lines += [f"  {scenario}:", *(f"    - {_quoted(check)}" for check in checks)]
    return HEADER.format(spec=spec) + "\n".join(lines) + "\n"


def _quoted(name: str) -> str:
    """A name such as ``1e5``, ``null`` or ``no`` must stay a string."""
    return f'"{name}"'


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 1 if the set and the suite do not agree."""
    parser = argparse.ArgumentParser(
        prog="python -m redisipc_conformance.verdict.frozen", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--spec", default=SPEC_VERSION, help="the specification's version (default: this suite's)")
    parser.add_argument("--write", action="store_true", help="add every check that the suite has")
    options = parser.parse_args(argv)
    scenarios = corpus()
    frozen = FrozenSet.load(options.spec)
    for id in frozen.missing(scenarios):
        print(
            f"{id} counts for {options.spec} and is gone: bring it back, or name it in `formerly:` of what replaces it"
        )
    if frozen.missing(scenarios):
        return 1
    present = {named.id for each in scenarios for named in named_checks(each)}
    former = former_ids(scenarios)
    kept = frozen.checks or frozenset()
    late = sorted(id for id in present if not kept.intersection((id, *former.get(id, ()))))
    if options.write:
        path = suite_folder() / "requirements" / f"{options.spec}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(options.spec, kept | set(late)), encoding="utf-8")
        print(f"{path}: {len(kept) + len(late)} checks, {len(late)} of them new")
        return 0
    where = f"{len(kept)} checks are frozen" if frozen.checks is not None else "nothing is frozen yet"
    print(f"{options.spec}: {where}, {len(late)} of the suite's are not in the set")
    return 0


if __name__ == "__main__":
    sys.exit(main())
