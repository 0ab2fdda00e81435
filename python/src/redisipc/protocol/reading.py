"""Whether new entries may be read now, and how many: by the blocked read, and by a batch beside it."""

from __future__ import annotations

from . import commands
from .closing import Closing
from .commands import Read
from .events import CLOSING, UP
from .lifecycle import Lifecycle
from .wiring import Wiring

_LEAST_READ = 8
"""How many entries are read at once if no request could start, so that responses still arrive."""

_SMALL_CONTENT = 2048
"""While no content has more bytes, each read may bring as many entries as the settings allow, on any link."""


class Reading:
    """Combines the reasons not to read: the state, refusals, answers that wait, the pace of an idle group."""

    def __init__(self, wiring: Wiring, lifecycle: Lifecycle, closing: Closing) -> None:
        self._wiring = wiring
        self._shared = wiring.shared
        self._lifecycle = lifecycle
        self._closing = closing
        self._last: Read | None = None
        wiring.own_entries.count = self._count_beside

    def next(self, now: float) -> Read | None:
        """The blocking read to send now."""
        wiring, shared = self._wiring, self._shared
        if not self._allowed(now):
            return None
        if now < wiring.pace.until and not (wiring.requester.outstanding or shared.inflight):
            return None
        names, settings = shared.names, shared.settings
        count = self._startable(shared.sizes.read_count(settings.read_count))
        command = commands.read_new(names.stream, names.group, names.dispatcher, count, settings.block)
        wiring.own_entries.highest = None
        self._last = Read(command, settings.block, self._lifecycle.epoch, now)
        return self._last

    def again(self, now: float) -> Read | None:
        """The same read, after a rest in which nothing has changed."""
        last = self._last
        if last is None or now < self._wiring.pace.until or self._shared.sizes.typical > _SMALL_CONTENT:
            return self.next(now)
        return Read(last.command, last.block, last.epoch, now)

    def _allowed(self, now: float) -> bool:
        shared, wiring = self._shared, self._wiring
        if self._lifecycle.busy or self._lifecycle.must_relist:
            return False
        if shared.state is not UP and not (shared.state is CLOSING and self._closing.draining):
            return False
        if now < shared.pauses.writes.until or shared.pauses.lacking("read", now):
            return False
        # RIPC-RESP-16: while answers wait for memory at Redis, nothing new is taken.
        return not wiring.responder.answers.refused or bool(wiring.requester.outstanding)

    def _startable(self, count: int) -> int:
        """``count``, or less: with siblings, a request that cannot start here would only be given back.

        That costs three extra commands, and a sibling could read it now.
        """
        return min(count, max(_LEAST_READ, self._wiring.responder.room)) if self._wiring.siblings else count

    def _count_beside(self, now: float) -> int:
        """How many new entries a batch may read; 0 for none."""
        shared = self._shared
        if shared.pauses.writes.active or not self._allowed(now):
            # RIPC-RECOV-17: after a read was refused, the batch does not try it at the same moment.
            return 0
        return self._startable(shared.sizes.count(shared.settings.read_count))
