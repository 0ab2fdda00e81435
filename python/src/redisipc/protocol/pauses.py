"""Pauses between attempts at what Redis refuses: they grow while Redis refuses it, and restart after a success."""

from __future__ import annotations

import math

from .commands import Failure

_REPLACED = 0.8
"""Seconds between two attempts while another key is in the stream's place: any client may delete it (RIPC-RECOV-27)."""


_WAITED_FOR = frozenset(("read", "own list", "answers"))
"""Names of what somebody waits for: as soon as the right is back it must work (RIPC-RECOV-27)."""
_FOR_GOOD = 1.0
"""Seconds before the first repeat of what was refused for good."""
_RARELY = 30.0
"""Seconds at most before a further one, of what nobody waits for."""


class Pause:
    """``until``: monotonic seconds before which nothing of the kind is tried."""

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
        """Redis took it."""
        self._length = 0.0
        self.until = float("-inf")


class Pauses:
    """One pause for each kind of refusal (section 13), and one for each command that the user may not run (RIPC-RECOV-27)."""

    def __init__(self) -> None:
        self.memory: Pause = Pause(0.2, 0.8)
        self.writes: Pause = Pause(0.2, 0.8)
        self.rights: dict[str, Pause] = {}

    def forbidden(self, name: str, failure: Failure, now: float) -> None:
        """Redis refused what ``name`` stands for, and will do so until somebody repairs it."""
        pause = self.rights.get(name)
        if pause is None:
            pause = self.rights[name] = Pause(_FOR_GOOD, _FOR_GOOD if name in _WAITED_FOR else _RARELY)
        pause.refused(now, _REPLACED if failure.kind == "WRONGTYPE" else math.inf)

    def lacking(self, name: str, now: float) -> bool:
        """Whether Redis refused it for good, so that it is not tried yet."""
        pause = self.rights.get(name)
        return pause is not None and now < pause.until

    def until(self, name: str) -> float:
        """The end of the pause of what ``lacking`` says is not tried yet, in monotonic seconds."""
        return self.rights[name].until

    def granted(self, name: str) -> None:
        if self.rights:
            self.rights.pop(name, None)
