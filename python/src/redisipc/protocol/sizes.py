"""How many entries are asked for at once: as many as fit into a bounded reply, by the sizes that were seen."""

from __future__ import annotations

REPLY_BYTES = 4 << 20
"""About so many bytes are asked for at once: more than that only where a single entry is larger."""
BATCH_BYTES = 1 << 20
"""About so many bytes of contents are written at once."""
_AT_FIRST = 32 << 10
_FORGETS = 0.9


class Sizes:
    """``typical`` is the largest content, in bytes, of the entries that were read lately."""

    __slots__ = ("typical",)

    def __init__(self) -> None:
        self.typical: float = _AT_FIRST

    def saw(self, largest: int) -> None:
        """The largest content of one reply."""
        faded = self.typical * _FORGETS
        self.typical = largest if largest > faded else faded

    def count(self, most: int) -> int:
        """How many entries to ask for, ``most`` at most."""
        return max(1, min(most, int(REPLY_BYTES / max(1.0, self.typical))))
