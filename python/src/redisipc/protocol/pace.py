"""The pace of a group that reads other groups' entries only.

Every entry wakes every group of the stream. A member that finds nothing for its own group, time after time, and has nothing
under way, lets a few entries come together before it reads again. So a stream with many groups costs a fraction.

The first request to such a group waits for the end of a pause: at most ``read_pause`` seconds, half of that as a rule. On a
stream on which little happens nobody pauses.
"""

from __future__ import annotations

from .settings import NEVER

PAUSE_AFTER = 16
"""How many entries of others in a row make a member pause."""
_ENOUGH = 8
"""A pause is not longer than so many entries take to come."""
_SPARSE = 4
"""Where entries come further apart than so many pauses, nobody pauses. Where each of many groups takes its time for each
entry, all are slow, and so few entries come: a narrower limit would keep it so."""
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
        """Something is for this group: it reads at once, until it has seen others' entries for long again."""
        self._in_row = 0
        self.until = -NEVER
