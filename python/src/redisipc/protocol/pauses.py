"""Pauses between attempts at what Redis refuses: they grow while it goes on, and begin anew after a success."""

from __future__ import annotations


class Pause:
    """``until``: monotonic seconds before which nothing of the kind is tried; ``refused_at``: when Redis last refused it."""

    __slots__ = ("_first", "_length", "_most", "refused_at", "until")

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._length = 0.0
        self.until = float("-inf")
        self.refused_at = float("-inf")

    @property
    def active(self) -> bool:
        """Whether the last attempt was refused."""
        return self._length > 0.0

    def refused(self, now: float) -> None:
        """Several refusals of one attempt count once."""
        self.refused_at = now
        if now >= self.until:
            self._length = min(self._most, max(self._first, self._length * 2))
            self.until = now + self._length

    def over(self) -> None:
        """Redis took it."""
        self._length = 0.0
        self.until = float("-inf")


class Pauses:
    """One pause for each kind of refusal (section 13), and one for each command that the user may not run (RIPC-RECOV-27)."""

    def __init__(self) -> None:
        self.memory = Pause(0.2, 1.0)
        self.writes = Pause(0.2, 1.0)
        self.rights: dict[str, Pause] = {}

    def right(self, name: str) -> Pause:
        """The pause of what ``name`` stands for."""
        pause = self.rights.get(name)
        if pause is None:
            pause = self.rights[name] = Pause(1.0, 30.0)
        return pause

    def lacking(self, name: str, now: float) -> bool:
        """Whether Redis refused it for good, so that it is not tried yet."""
        pause = self.rights.get(name)
        return pause is not None and now < pause.until

    def granted(self, name: str) -> None:
        if self.rights:
            self.rights.pop(name, None)
