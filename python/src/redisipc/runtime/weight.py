"""How many bytes of others' contents and texts wait with a report, so that their sum has a bound."""

from __future__ import annotations

from redisipc.errors import RedisIPCError, ReportedError

MOST_HELD_BYTES = 32 << 20
"""Bytes that may wait with the reports. With more, further ones are counted and dropped, but for small ones."""
SMALL = 4096
"""A report with at most so many bytes counts as small: the bound for their number is enough."""


def weight_of(error: RedisIPCError) -> int:
    """The bytes of the raw fields of an entry. A message is short."""
    if not isinstance(error, ReportedError):
        return 0
    return sum(len(name) + len(value) for name, value in error.fields)


def too_heavy(weight: int, held: int) -> bool:
    """Whether a report of ``weight`` bytes is dropped while ``held`` bytes wait."""
    return weight > SMALL and held > MOST_HELD_BYTES
