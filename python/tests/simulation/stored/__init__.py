"""Worlds that are kept, with the story that each tells: a rule of the core holds in them, and breaks where it is switched off.

``python -m tests.simulation.stored`` plays each with its rules and without them.
"""

from __future__ import annotations

from ..run import Result
from .stage import CAUSED, STORED, Stored


def load() -> dict[str, Stored]:
    """All of them, by their names."""
    from . import closing, groups, owners, reading, responses, writes  # noqa: F401

    return STORED


def play(name: str) -> Result:
    """One of them, with its rules."""
    return load()[name].play()


def load_caused() -> dict[str, Stored]:
    """Those that show a cause of a second start, by the cause."""
    from . import caused  # noqa: F401

    return CAUSED


def play_caused(cause: str) -> Result:
    """One of them, until the cause was there."""
    return load_caused()[cause].play_until(cause)
