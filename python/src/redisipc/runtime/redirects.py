"""Follows a cluster's redirections: commands that a node did not execute go to the node that it names (RIPC-RECOV-22,
23).

The core does not notice: it gets one reply for each command, from whichever node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from redisipc.protocol.commands import Batch, Command, Failure, Read

from .connection import REPLY_LIMIT, Connection, Place

HOPS = 4
"""Redirections in a row that are followed. If the nodes disagree for longer, this counts as an outage."""


class Redirection(NamedTuple):
    """``asking``: only for these commands, while the slot moves. If not, the slot has moved."""

    place: Place
    asking: bool


def redirection(reply: Any) -> Redirection | None:
    """Where ``MOVED 866 host:port`` or ``ASK 866 host:port`` leads; None for every other reply."""
    if type(reply) is not Failure or reply.kind not in ("MOVED", "ASK"):
        return None
    host, _, port = reply.message.rpartition(" ")[2].rpartition(":")
    return Redirection((host, int(port)), reply.kind == "ASK") if port.isdigit() else None


def units(commands: list[Command]) -> list[range]:
    """The units that a node executes as a whole: a command, or a MULTI and all up to its EXEC."""
    found: list[range] = []
    begin = None
    for i, command in enumerate(commands):
        if command[0] == "MULTI":
            begin = i
        elif begin is None:
            found.append(range(i, i + 1))
        elif command[0] == "EXEC":
            found.append(range(begin, i + 1))
            begin = None
    return found


class Redirects:
    """Follows redirections of batches and reads. ``connection`` leads to the node to which a slot is moving."""

    def __init__(
        self,
        writer: Connection,
        reader: Connection,
        open: Callable[[Connection, int], None],
        written: Callable[[list[Any], float], None],
        lost: Callable[[Connection, str, float], None],
        on: bool,
    ) -> None:
        self.connection: Connection = Connection("ask")
        self._writer = writer
        self._reader = reader
        self._open = open
        self._written = written
        self._lost = lost
        self.on = on
        self._replies: list[Any] = []
        self._hops = 0
        self._read_hops = 0
        self._commands: list[Command] = []
        self._left: list[range] = []

    @property
    def under_way(self) -> bool:
        """Whether a part of the batch goes to another node."""
        return bool(self._left)

    def drop(self) -> None:
        """The batch is done or lost."""
        self._left, self._replies, self._hops = [], [], 0

    def complete(self, batch: Batch, replies: list[Any], now: float) -> list[Any] | None:
        """All replies of a batch. None: some come later, from another node."""
        if not self.on:
            return replies
        if not self._left:
            self._replies, self._commands = replies, batch.commands
            if not any(map(redirection, replies)):
                return replies
            self._left = units(batch.commands)
        self._left = [unit for unit in self._left if self._redirected(unit) is not None]
        if not self._left or self._hops == HOPS:
            whole = self._replies
            self.drop()
            return whole
        self._hops += 1
        to = self._redirected(self._left[0])
        assert to is not None
        # Only the units that are redirected to the same node; the others follow.
        connection = self.connection if to.asking else self._writer
        if connection.transport is not None and connection.place == to.place:
            try:
                self.send(connection, now)
            except OSError as error:
                self._lost(connection, str(error), now)
        else:
            connection.drop()
            connection.place = to.place
            self._open(connection, batch.epoch)
        return None

    def send(self, connection: Connection, now: float) -> None:
        """Send the remaining units over a connection. Raises OSError."""
        asking = connection is self.connection
        to = self._redirected(self._left[0])
        going = [unit for unit in self._left if self._redirected(unit) == to]
        lines: list[Command] = []
        indices: list[int | None] = []
        for unit in going:
            if asking:
                lines.append(("ASKING",))
                indices.append(None)
            lines += self._commands[unit.start : unit.stop]
            indices += unit

        def came(replies: list[Any], at: float) -> None:
            connection.reply_by = None
            for i, reply in zip(indices, replies, strict=True):
                if i is not None:
                    self._replies[i] = reply
            self._written(self._replies, at)

        connection.reply_by = now + REPLY_LIMIT
        connection.send(connection.pack(lines), len(lines), came)

    def read_elsewhere(self, read: Read, reply: Any) -> bool:
        """Whether a read was redirected, and continues at the other node."""
        to = redirection(reply)
        if to is None or self._read_hops == HOPS:
            self._read_hops = 0
            return False
        self._read_hops += 1
        self._reader.drop()
        self._reader.place, self._reader.asking = to.place, to.asking
        self._open(self._reader, read.epoch)
        return True

    def _redirected(self, unit: range) -> Redirection | None:
        return next(filter(None, (redirection(self._replies[i]) for i in unit)), None)
