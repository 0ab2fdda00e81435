"""The one mutation that is switched on, if any. ``mutants.yaml`` says what each is and which requirement it breaks."""

from __future__ import annotations

_active: set[str] = set()


def switch_on(name: str) -> None:
    """From now on ``mutant(name)`` is true."""
    _active.add(name)


def mutant(name: str) -> bool:
    """Whether the model is to be wrong here."""
    return name in _active
