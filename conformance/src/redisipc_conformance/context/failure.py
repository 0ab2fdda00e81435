"""How a step ends when it does not end well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..scenario.model import Step


@dataclass(eq=False)
class Failed(Exception):
    """The expected thing did not come, or something else did."""

    message: str
    expected: str = ""
    seen: str = ""
    by_timeout: bool = False
    """Nothing came in time: there was nothing to compare."""
    culprit: object | None = None
    """The exchange, note or entry that is wrong, for the transcript."""
    lag: float = 0.0
    """Seconds that the machine took, where these may have made it fail: then nothing is decided."""
    lag_of: str = ""
    """Who lost them, in words that the seconds follow."""
    since: float = 0.0
    """Of a bound of time: the moment from which it counts, of time.monotonic."""
    over: float = 0.0
    """By how many seconds the bound was broken. If nothing came at all: half of it."""
    value: Any = None
    """The thing that was found anyway: `as` names it, so that the rest of the scenario can continue."""

    def __str__(self) -> str:
        return self.message


class SuiteFault(Exception):
    """The scenario or the suite is wrong, not the testee."""


class Crashed(Exception):
    """A process of the testee that nobody killed has gone, or has broken its protocol."""


class Consequence(Failed):
    """A step that needs what an earlier, failed step did not give."""


class Stopped(Exception):
    """A step without a check failed: what comes after it makes no sense."""

    def __init__(self, step: Step, failed: Failed) -> None:
        super().__init__(failed.message)
        self.step = step
        self.failed = failed


class AtLine(SuiteFault):
    """A fault of the scenario, with the line of its step."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
