"""The ways in which a step can fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..scenario.model import Step
    from .objects import Endpoint


@dataclass(eq=False)
class Failed(Exception):
    """The expected thing did not come, or something else came."""

    message: str
    expected: str = ""
    seen: str = ""
    by_timeout: bool = False
    """Nothing came in time: there was nothing to compare."""
    culprit: object | None = None
    """The exchange, note or entry that is wrong, for the transcript."""
    lag: float = 0.0
    """Seconds that the machine took, if they may have caused the failure. Then nothing is decided."""
    lag_of: str = ""
    """Who lost them, in words that are followed by the seconds."""
    since: float = 0.0
    """For a time bound: the moment from which it counts, of time.monotonic."""
    over: float = 0.0
    """By how many seconds the bound was exceeded. If nothing came at all: half of the bound."""
    kept: tuple[Endpoint, str] | None = None
    """The endpoint that has read an entry for another group and has kept it pending, and the fact in words."""
    value: Any = None
    """The thing that was found anyway: `as` names it, so that the rest of the scenario can continue."""

    def __str__(self) -> str:
        return self.message


class SuiteFault(Exception):
    """The scenario or the suite is wrong, not the testee."""


class Crashed(Exception):
    """A process of the testee ended without being killed, or broke its protocol."""


class Consequence(Failed):
    """A step that needs the result of an earlier step, which failed."""


class Stopped(Exception):
    """A step without a check failed: what comes after it makes no sense."""

    def __init__(self, step: Step, failed: Failed) -> None:
        super().__init__(failed.message)
        self.step = step
        self.failed = failed


class AtLine(SuiteFault):
    """A mistake in the scenario, with the line of its step."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
