"""The log of the checks: the steps that decide each one, which of them were reached and held, and the first failure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..context.failure import Failed, SuiteFault
from ..scenario.model import ROW_NAME, Check, Scenario, Step

Turn: TypeAlias = "tuple[int, str]"
"""One step, by its identity, and the row that an `each-row` plays it for (else empty)."""


@dataclass
class CheckState:
    """The state of one check. `failed`: the first failure, by assertion if there is one, and the step that saw it."""

    check: Check
    name: str
    owed: set[Turn] = field(default_factory=set)
    """The steps that name it and have not been reached, or have not held."""
    held: int = 0
    failed: Failed | None = None
    step: Step | None = None

    @property
    def decided(self) -> bool:
        """Whether it failed, or every step that names it was reached and held."""
        return self.failed is not None or (self.held > 0 and not self.owed)

    @property
    def owed_rows(self) -> set[str]:
        """The rows for which something is left to decide it."""
        return {row for _, row in self.owed}


class CheckLog:
    """All checks that a scenario declares, those of its rows one by one. `rows`: the names of those that are played."""

    def __init__(self, scenario: Scenario, rows: Iterable[str]) -> None:
        self.states: dict[str, CheckState] = {}
        self._rows = list(rows)
        self._in_rows = {id(step) for step, in_rows in _all_steps(scenario.steps) if in_rows}
        for check in scenario.checks:
            for name in self._names(check.name):
                self.states[name] = CheckState(check, name)
        for step in scenario.walk():
            self._owe(step, self._rows if id(step) in self._in_rows else [""])

    def _names(self, name: str) -> list[str]:
        return [name.replace(ROW_NAME, row) for row in self._rows] if ROW_NAME in name else [name]

    def _owe(self, step: Step, rows: Iterable[str]) -> None:
        for row in rows:
            for named in step.checks:
                names = [named.replace(ROW_NAME, row)] if row else self._names(named)
                for name in names:
                    if name in self.states:
                        self.states[name].owed.add((id(step), row))

    def _get(self, name: str) -> CheckState:
        if name not in self.states:
            raise SuiteFault(f"the check {name!r} is not declared")
        return self.states[name]

    def held(self, name: str, step: Step, row: str) -> None:
        """The step was reached and held. `row`: the name of the row that it was played for, if there are rows."""
        state = self._get(name)
        state.held += 1
        state.owed.discard((id(step), row if id(step) in self._in_rows else ""))

    def failed(self, name: str, step: Step, failed: Failed) -> None:
        state = self._get(name)
        if state.failed is None or (state.failed.by_timeout and not state.failed.lag and not failed.by_timeout):
            state.failed, state.step = failed, step

    def reopen(self, step: Step, row: str) -> None:
        """A step that repeats others did not finish: its inner steps were not played as often as it says."""
        rows = [row] if id(step) in self._in_rows else self._rows
        for inner in step.walk():
            self._owe(inner, rows if id(inner) in self._in_rows else [""])

    @property
    def complete(self) -> bool:
        """Whether every check is decided."""
        return all(state.decided for state in self.states.values())


def _all_steps(steps: Sequence[Step], in_rows: bool = False) -> Iterator[tuple[Step, bool]]:
    """Every step, and whether an `each-row` plays it for each row."""
    for step in steps:
        yield step, in_rows
        for block in step.blocks:
            yield from _all_steps(block, in_rows or step.word == "each-row")
