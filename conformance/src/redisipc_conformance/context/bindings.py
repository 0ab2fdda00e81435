"""Names and values of a scenario, and the times for which its expectations wait."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from ..scenario.matchers import show
from ..scenario.model import Step
from ..scenario.values import BadValue, Maker
from .failure import Consequence, SuiteFault
from .objects import Member, NamedObject, Send, Written

T = TypeVar("T")


class Bindings:
    """Makes values from the text of a step, and keeps the results of steps by name."""

    def __init__(
        self,
        *,
        stream: str,
        seed: int,
        source: random.Random,
        budgets: Mapping[str, float],
        scale: float,
        no_timeouts: bool,
        delay: float = 0.0,
    ) -> None:
        self.stream = stream
        self.seed = seed
        self.source = source
        self.budgets = budgets
        self.scale = scale
        self.no_timeouts = no_timeouts
        self.delay = delay
        """Seconds that the testee takes for any answer.

        Its budgets, and the bounds on its reports, are extended by them.
        """
        self.began = time.monotonic()
        self._epoch = time.time() - self.began
        self.row: dict[str, Any] | None = None
        self.names: dict[str, Any] = {}
        self.lost: dict[str, int] = {}
        """Names that a failed step should have bound, with the step's line."""
        self.budget_uses: list[tuple[str, float, float]] = []

    # Time

    def wall(self, moment: float) -> float:
        """Converts a time.monotonic() to seconds of the runner's clock, with which scenarios calculate."""
        return self._epoch + moment

    def now(self) -> float:
        return self.wall(time.monotonic())

    def monotonic(self, moment: float) -> float:
        """Converts a moment of the runner's clock to a time.monotonic()."""
        return moment - self._epoch

    def seconds(self, written: Any) -> float:
        """A number of seconds as a step says it. It is the wire's time, which --time-scale leaves alone: beside it run
        timeouts of the testee and periods of SPEC.md, which no option makes longer."""
        value = self.value(written)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise SuiteFault(f"{show(value)} is not a number of seconds")
        return float(value)

    def allowance(self, step: Step, budget: str, allowed: float | None = None) -> tuple[str, float]:
        """The name and length of the budget for which this expectation waits."""
        if step.within is None:
            return (budget, self.budgets[budget] if allowed is None else allowed)
        within = self.value(step.within)
        if isinstance(within, str):
            if within not in self.budgets:
                raise SuiteFault(f"{within!r} is not a budget; there are {', '.join(self.budgets)}")
            return within, self.budgets[within]
        return "", self.budgets[budget] if self.no_timeouts else max(
            self.seconds(within) * self.scale, 0.0
        ) + self.delay

    def used(self, budget: str, allowed: float, used: float) -> None:
        if budget:
            self.budget_uses.append((budget, allowed, used))

    def set_row(self, row: dict[str, Any]) -> None:
        """The row of the table that `${row.*}` means."""
        self.row = {name: self.expected(written) for name, written in row.items()}

    # Names and values

    @property
    def make(self) -> Maker:
        return Maker(self._lookup, self.source)

    def value(self, written: Any) -> Any:
        try:
            return self.make.value(written)
        except BadValue as error:
            raise SuiteFault(str(error)) from error

    def expected(self, written: Any) -> Any:
        try:
            return self.make.expected(written)
        except BadValue as error:
            raise SuiteFault(str(error)) from error

    def _lookup(self, name: str) -> Any:
        first, *parts = name.split(".")
        value: Any
        if first == "stream" and not parts:
            return self.stream
        if first == "seed" and not parts:
            return self.seed
        if first == "row":
            if self.row is None:
                raise BadValue(f"${{{name}}}: there is no row here")
            value = self.row
        else:
            value = self._named(first)
        for part in parts:
            value = self._part(name, value, part)
        return value.part("at") if isinstance(value, NamedObject) and "at" in value.PARTS and not parts else value

    def _named(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in self.lost:
            raise Consequence(f"this needs {name!r}, which line {self.lost[name]} did not give")
        raise BadValue(f"nothing is called {name!r}; there are {', '.join(sorted(self.names)) or 'no names yet'}")

    @staticmethod
    def _part(name: str, value: Any, part: str) -> Any:
        if isinstance(value, NamedObject):
            try:
                return value.part(part)
            except BadValue as error:
                if isinstance(value, Send):
                    raise Consequence(f"${{{name}}}: {error}") from error
                raise BadValue(f"${{{name}}}: {error}") from error
        if isinstance(value, dict) and part in value:
            return value[part]
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            return value[int(part)]
        raise BadValue(f"${{{name}}}: there is no {part!r} in {show(value)}")

    def named(self, written: Any, kind: type[T], *kinds: type[Any]) -> T:
        """The object with this label. It must be of one of these kinds."""
        label = self.value(written)
        if not isinstance(label, str):
            raise SuiteFault(f"{show(label)} is not a name")
        try:
            found = self._named(label)
        except BadValue as error:
            raise SuiteFault(str(error)) from error
        if not isinstance(found, (kind, *kinds)):
            raise SuiteFault(f"{label!r} is a {type(found).__name__.lower()}; a {kind.__name__.lower()} is needed here")
        return found  # type: ignore[return-value]

    def group(self, written: Any) -> str:
        """A group: the name of an endpoint or peer stands for its group, any other string is the group itself."""
        name = self.value(written)
        found = self.names.get(name) if isinstance(name, str) else None
        return found.group if isinstance(found, Member) else str(name)

    @contextmanager
    def naming(self, **names: Any) -> Iterator[None]:
        """Adds these names while the block lasts."""
        before = {name: self.names.get(name) for name in names}
        self.names.update(names)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    self.names.pop(name, None)
                else:
                    self.names[name] = value

    def bind(self, name: str, value: Any) -> None:
        self.names[name] = value
        self.lost.pop(name, None)
        if isinstance(value, Written):
            value.named = True
