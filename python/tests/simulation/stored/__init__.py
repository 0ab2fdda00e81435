"""Worlds that are kept, with the story that each tells: a rule of the core holds in them, and breaks where it is switched off.

``python -m tests.simulation.stored`` plays each with its rules and without them.
"""

from __future__ import annotations

from ..run import Result
from .stage import STORED, Stored


def load() -> dict[str, Stored]:
    """All of them, by their names."""
    from . import closing, groups, owners, reading, responses, writes  # noqa: F401

    return STORED


def play(name: str) -> Result:
    """One of them, with its rules."""
    return load()[name].play()
