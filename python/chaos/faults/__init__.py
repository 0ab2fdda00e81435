"""All kinds of faults, by name."""

from __future__ import annotations

from . import data, failover, links, machine, processes, refusals, rights, service, slots
from .base import Fault

MODULES = (links, service, data, refusals, rights, processes, failover, slots, machine)


def _named() -> dict[str, type[Fault]]:
    found: dict[str, type[Fault]] = {}
    for module in MODULES:
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, Fault) and "name" in vars(kind):
                assert found.setdefault(kind.name, kind) is kind, f"two faults are called {kind.name}"
    return found


FAULTS: dict[str, type[Fault]] = _named()
"""All kinds of faults by name, in the order of the tables."""
