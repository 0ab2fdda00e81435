"""Whether something may still happen to a member in a state: a fault, a message that gets stuck, a handler that ends."""

from __future__ import annotations

from . import faults
from .configuration import Configuration
from .ports import WorkPort
from .questions import Tables
from .state import NEVER

_REMEMBERED = 16.0
"""Seconds for which a trouble may matter after its end: longer than any silence after which something is taken over."""


class Chances(Tables):
    """``prepared``: the faults that are allowed, with their times as instants. ``memory_of_trouble``: in instants."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        self.memory_of_trouble = configuration.instant(_REMEMBERED)
        self.prepared = [faults.prepare(configuration, fault) for fault in configuration.faults]

    def choosy(self, work: WorkPort) -> int:
        """A bit for each member that may do something of its own accord, or have something of its own happen to it."""
        bits = 0
        for member, seat in enumerate(work.seats):
            if self.memories[member].views[seat.state].running:
                bits |= 1 << member
        if work.holds:
            for member in self.configuration.held:
                bits |= 1 << member
        if work.faults:
            for fault in self.prepared:
                if fault.first <= work.time <= fault.last:
                    for member in fault.fault.members:
                        bits |= 1 << member
        return bits

    def lossy(self, work: WorkPort, member: int) -> bool:
        """Whether a reply to this member may still get lost or stuck, or waits: then hearing it is a move of its own."""
        if work.seats[member].paused != NEVER or (work.holds and member in self.configuration.held):
            return True
        return work.faults > 0 and any(fault.loses(member, work.time) for fault in self.prepared)
