"""Pauses between attempts at what Redis refuses. They grow until a success, and then start again."""

from __future__ import annotations

import math

from .commands import Failure

_REPLACED = 0.8
"""Seconds between two attempts while the stream's key has another type: any client may delete it (RIPC-RECOV-27)."""


_WAITED_FOR = frozenset(("read", "own list", "answers"))
"""Names of work that someone waits for: it must succeed soon after the right is back (RIPC-RECOV-27)."""
_FOR_GOOD = 1.0
"""Seconds before the first repeat of work that was refused for good."""
_RARELY = 30.0
"""Seconds at most before a further repeat, for work that nobody waits for."""


class Pause:
    """``until``: nothing of the kind is tried before this time, in monotonic seconds."""

    __slots__ = ("_first", "_length", "_most", "until")

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._length = 0.0
        self.until: float = float("-inf")

    @property
    def active(self) -> bool:
        """Whether the last attempt was refused."""
        return self._length > 0.0

    def refused(self, now: float, most: float = math.inf) -> None:
        """Several refusals of one attempt count once. ``most``: seconds that this pause may have at most."""
        if now >= self.until:
            self._length = min(self._most, most, max(self._first, self._length * 2))
            self.until = now + self._length

    def over(self) -> None:
        """Redis accepted it."""
        self._length = 0.0
        self.until = float("-inf")


class Pauses:
    """One pause for each kind of refusal (section 13), and one for each command that the user may not run (RIPC-RECOV-27)."""

    def __init__(self) -> None:
        self.memory: Pause = Pause(0.2, 0.8)
        self.writes: Pause = Pause(0.2, 0.8)
        self.rights: dict[str, Pause] = {}

    def forbidden(self, name: str, failure: Failure, now: float) -> None:
        """Redis refused the work named ``name``, and will do so until someone repairs it."""
        pause = self.rights.get(name)
        if pause is None:
            pause = self.rights[name] = Pause(_FOR_GOOD, _FOR_GOOD if name in _WAITED_FOR else _RARELY)
        pause.refused(now, _REPLACED if failure.kind == "WRONGTYPE" else math.inf)

    def lacking(self, name: str, now: float) -> bool:
        """Whether Redis refused it for good, and its pause is not over."""
        pause = self.rights.get(name)
        return pause is not None and now < pause.until

    def until(self, name: str) -> float:
        """The end of the pause of what ``lacking`` says is not tried yet, in monotonic seconds."""
        return self.rights[name].until

    def granted(self, name: str) -> None:
        if self.rights:
            self.rights.pop(name, None)
