"""An endpoint reads what it writes itself inside the transaction that writes it.

Each XADD wakes the blocked reads of all groups, also that of its writer. This read would bring only the writer's own
entry, and a new read would have to be sent. A read of new entries that stands in the same transaction takes the entry
before the blocked read sees it. It may take other new entries as well: they are received like those of any read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import commands, replies
from .commands import Command, Failure
from .endpoint_state import EndpointState

_MOST_BYTES = 64 << 10
"""For contents with more bytes, a wake-up costs less than reading them back in the transaction."""


class OwnEntries:
    """``count`` says how many entries may be read now, 0 for none; ``receive`` takes what was read.

    ``under_way``: the batch under way reads. If its replies get lost, the entries are in its own pending list.
    """

    def __init__(self, shared: EndpointState, receive: Callable[[list[Any], float, float], None]) -> None:
        self.shared = shared
        self.under_way: bool = False
        self.count: Callable[[float], int] = lambda _now: 0
        self.alone: Callable[[], bool] = lambda: True
        """Whether the group has no other member."""
        self.highest: bytes | None = None
        """The last entry that was read like this while the blocked read is under way."""
        self._receive = receive
        self._allowed = True
        self._rows: list[Any] = []

    def wrap(self, lines: list[Command], written: int, size: int, now: float) -> list[Command] | None:
        """One transaction of ``lines`` and the read; None if the blocked read should take the ``written`` entries.

        ``size``: bytes of their contents.
        """
        shared = self.shared
        if not self._allowed or shared.singly or not lines or size > _MOST_BYTES:
            return None
        count = self.count(now)
        if count and not self.alone():
            # The blocked read may bring as much as can start. Entries that other members wait for are left to them.
            count = min(count, written)
        if not count:
            return None
        names = shared.names
        self.under_way = True
        return commands.atomic([*lines, commands.read_now(names.stream, names.group, names.dispatcher, count)])

    def take(self, answers: list[Any]) -> list[Any] | None:
        """The replies of a wrapped transaction without those of its read; then call ``received``.

        None if nothing was done, because Redis refuses the read.
        """
        self.under_way = False
        *front, queued, end = answers
        if isinstance(answers[0], Failure):
            # MULTI itself was refused: Redis executed the commands one by one.
            self._keep(queued)
        elif isinstance(end, list):
            self._keep(end[-1])
            end = end[:-1]
        elif isinstance(queued, Failure) and not any(isinstance(answer, Failure) for answer in front):
            self._allowed = False
            return None
        return [*front, end]

    def received(self, now: float) -> None:
        """Receive the entries of the read, once the written entries are known as written."""
        rows, self._rows = self._rows, []
        if rows:
            self.highest = rows[-1][0]
            self._receive(rows, now, self.shared.sent_at)

    def last_of(self, entry_id: bytes) -> bytes:
        """The later one of the last entry of the blocked read and what was read beside it."""
        highest, self.highest = self.highest, None
        return entry_id if highest is None or replies.comes_after(entry_id, highest) else highest

    def _keep(self, reply: Any) -> None:
        if isinstance(reply, Failure):
            self.shared.fail(reply)
        else:
            self._rows = replies.read_entries(reply)
