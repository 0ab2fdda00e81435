"""The pace of a group that reads only other groups' entries.

Every entry wakes every group of the stream. A member may find nothing for its own group again and again, and have
nothing under way. It then waits until a few entries have come before it reads again. So a stream with many groups costs
much less processor time.

The first request to such a group waits for the end of a pause: at most ``read_pause`` seconds, and usually half of
that. On a quiet stream, no member pauses.
"""

from __future__ import annotations

from .settings import NEVER

PAUSE_AFTER = 16
"""After so many entries of others in a row, a member pauses."""
_ENOUGH = 8
"""A pause is not longer than the time in which so many entries come."""
_SPARSE = 4
"""If entries come further apart than so many pauses, no member pauses. If many groups each spend time on every entry,
all are slow, so few entries come. A narrower limit would preserve that state."""
_WEIGHT = 0.3


class Pace:
    """``most``: seconds of the longest pause, 0 for none. ``until``: before which moment an idle member does not read."""

    def __init__(self, most: float) -> None:
        self.most = most
        self.until: float = -NEVER
        self._in_row = 0
        self._gap = most
        self._read_at = 0.0

    def read(self, entries: int, others: int, now: float) -> None:
        """A blocked read brought ``entries``, of which ``others`` are for other groups."""
        if others < entries or not entries:
            self.over()
            return
        if self._in_row:
            # Plain comparisons: this is done for each read.
            gap, most = (now - self._read_at) / others, 2 * _SPARSE * self.most
            self._gap += ((gap if gap < most else most) - self._gap) * _WEIGHT
        else:
            self._gap = self.most
        self._in_row += others
        self._read_at = now
        if self._in_row > PAUSE_AFTER and self._gap <= _SPARSE * self.most:
            pause = self._gap * _ENOUGH
            self.until = now + (pause if pause < self.most else self.most)

    def over(self) -> None:
        """An entry is for this group: it reads without pauses until it has seen only others' entries for long again."""
        self._in_row = 0
        self.until = -NEVER
