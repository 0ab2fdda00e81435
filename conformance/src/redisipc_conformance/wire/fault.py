"""A fault that the tap applies to commands, and the commands that it has hit so far."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .pattern import Pattern

Deed = Literal[
    "drop-reply", "cut-before", "cut-within", "reply-within", "hold-reply", "hold", "delay", "error", "lose", "reply"
]


_FATES = {
    "drop-reply": "connection cut by the suite before the reply",
    "reply-within": "connection cut by the suite within the reply",
    "hold-reply": "reply held by the suite",
    "delay": "reply delayed by {0.seconds:g} s",
    "lose": "reply lost by the suite",
}


@dataclass
class Fault:
    """Armed for the commands of one endpoint."""

    pattern: Pattern
    do: Deed
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    """By how much a reply is late. Of `error`: for how long it strikes, from the first command that it struck (0: for ever)."""
    text: str = ""
    reply: Any = None
    multi_has: Pattern | None = None
    alone: bool = False
    """Of `error`: inside a MULTI it is the reply of this command alone. Redis executes the others."""
    struck: int = 0
    lifted: bool = False
    release: list[Callable[[], None]] = field(default_factory=list)
    _seen: int = 0
    _since: float = 0.0
    """When it first hit a command: seconds of time.monotonic()."""

    def strikes(self, args: Sequence[bytes], queued: Sequence[Sequence[bytes]]) -> bool:
        """Whether this command is hit. `queued`: the commands in its MULTI so far."""
        if self.lifted or (self.times and self.struck >= self.times) or self.over or not self.pattern.matches(args):
            return False
        if self.multi_has is not None and not any(self.multi_has.matches(q) for q in queued):
            return False
        self._seen += 1
        if self._seen <= self.skip:
            return False
        self.struck += 1
        self._since = self._since or time.monotonic()
        return True

    @property
    def over(self) -> bool:
        """Whether its time to refuse commands is over."""
        return self.do == "error" and 0 < self.seconds <= time.monotonic() - (self._since or math.inf)

    @property
    def fate(self) -> str:
        """Its effect on the reply of a command that it hit, for the transcript."""
        return _FATES.get(self.do, "").format(self)

    def lift(self) -> None:
        """Ends it, and releases what it holds back."""
        self.lifted = True
        held, self.release = self.release, []
        for go in held:
            go()
