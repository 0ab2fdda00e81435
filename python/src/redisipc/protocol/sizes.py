"""How many entries are sent or read at once: a batch is bounded, by the sizes and times seen so far."""

from __future__ import annotations

REPLY_BYTES = 4 << 20
"""At most about so many bytes are asked for at once; more only if a single entry is larger."""
AT_FIRST_BYTES = 256 << 10
"""The same while nothing is known of the link: renewals of claims wait for no more than that (RIPC-GROUP-9)."""
LEAST_BYTES = 64 << 10
"""The same on the slowest link."""
BATCH_BYTES = 1 << 20
"""About so many bytes of contents are written at once at most."""
_READ_SHARE = 4
"""The blocking read delays nothing, so it may bring more than a batch."""
_TYPICAL_AT_FIRST = 8 << 10
_FORGETS = 0.9
_SLOW, _QUICK = 1.0, 0.25
"""If a batch takes longer (in seconds), the next ones are smaller; if it takes less, they are larger."""


class Sizes:
    """``typical``: the largest content, in bytes, of the entries that were read lately. ``budget``: bytes of one batch."""

    __slots__ = ("_written", "budget", "typical")

    def __init__(self) -> None:
        self.typical: float = _TYPICAL_AT_FIRST
        self.budget: float = AT_FIRST_BYTES
        self._written = 0

    def saw(self, largest: int) -> None:
        """The largest content of one reply."""
        faded = self.typical * _FORGETS
        self.typical = largest if largest > faded else faded

    def wrote(self, contents: int) -> None:
        """Bytes of contents in the batch that is made now."""
        self._written += contents

    def took(self, seconds: float) -> None:
        """Note how long one batch took: on a slow link, nothing large may delay the renewal of claims.

        Only a large batch shows that the link is quick.
        """
        written, self._written = self._written, 0
        if seconds > _SLOW:
            self.budget = max(LEAST_BYTES, self.budget / 2)
        elif seconds < _QUICK and written >= self.budget / 2:
            self.budget = min(REPLY_BYTES, self.budget * 2)

    def count(self, most: int) -> int:
        """How many entries a batch may ask for, ``most`` at most."""
        return self._fitting(self.budget, most)

    def read_count(self, most: int) -> int:
        """How many entries the blocking read or a last look may ask for, ``most`` at most."""
        return self._fitting(min(REPLY_BYTES, _READ_SHARE * self.budget), most)

    def _fitting(self, room: float, most: int) -> int:
        return max(1, min(most, int(room / max(1.0, self.typical))))
