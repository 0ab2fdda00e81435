"""The scenarios that ship with the suite, and the names that lists of checks may use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .. import always
from ..files import scenarios_folder
from ..results import DIED, FAREWELL, FOREIGN, MALFORMED, STRANGER
from .load import load_all
from .model import ROW_NAME, Check, Scenario

IMPLICIT = (MALFORMED, DIED, FOREIGN, STRANGER, FAREWELL, *always.NAMES)
"""The checks that every scenario has without declaring them."""


@dataclass(frozen=True)
class Named:
    """One check with the name it has in a run: a table's check is there once for each row."""

    id: str
    """scenario/check."""
    check: Check
    formerly: tuple[str, ...]
    text: str
    """Its sentence, with the row's name in it."""


def corpus() -> list[Scenario]:
    """All of them, by id. Raises ScenarioError for a file that cannot be used."""
    return load_all(scenarios_folder())


def named_checks(scenario: Scenario) -> Iterator[Named]:
    """Its checks as the run reports them, with all ids that they had before."""
    for check in scenario.checks:
        rows = [str(row["name"]) for row in scenario.rows] if ROW_NAME in check.name else [""]
        for row in rows:
            name = check.name.replace(ROW_NAME, row)
            earlier = [old.replace(ROW_NAME, row) for old in check.formerly]
            former = [f"{id}/{old}" for id in (scenario.id, *scenario.formerly) for old in (name, *earlier)]
            others = tuple(old for old in former if old != f"{scenario.id}/{name}")
            yield Named(f"{scenario.id}/{name}", check, others, check.text.replace(ROW_NAME, row))


def declared_ids(scenarios: Iterable[Scenario]) -> set[str]:
    """Every id that a known-failures file may name."""
    scenarios = list(scenarios)
    checks = {named.id for each in scenarios for named in named_checks(each)}
    return checks.union(*((each.id, *(f"{each.id}/{name}" for name in IMPLICIT)) for each in scenarios))


def renamed_ids(scenarios: Iterable[Scenario]) -> dict[str, str]:
    """Former id to present id, of scenarios and checks."""
    names: dict[str, str] = {}
    for scenario in scenarios:
        names.update((old, scenario.id) for old in scenario.formerly)
        for named in named_checks(scenario):
            names.update((old, named.id) for old in named.formerly)
    return names
