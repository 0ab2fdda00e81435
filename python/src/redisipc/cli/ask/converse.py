"""One request from the command line: the protocol's ``Call`` (profile ask) over one connection."""

from __future__ import annotations

import random
from time import monotonic, sleep

from redisipc.cli.exits import Problem
from redisipc.cli.redis.client import Client
from redisipc.cli.redis.link import Link
from redisipc.protocol.caller import Call
from redisipc.protocol.events import Outcome, Outgoing
from redisipc.protocol.names import new_instance_id, new_request_id

_DICE = random.SystemRandom()


class Asker:
    """Asks one request after the other, as one instance of a caller."""

    def __init__(self, client: Client, stream: str, early_end: bool = True) -> None:
        self._client = client
        self._stream = stream
        self._instance = new_instance_id(_DICE)
        self._early_end = early_end
        self._highest = b"-"
        # At once: what is wrong with the address or the rights ends the command, and is not tried until the timeout.
        self._link: Link | None = client.open()
        self._node = client.address

    @property
    def instance(self) -> str:
        """The instance id of this caller."""
        return self._instance

    def ask(self, content: bytes, to: str, timeout: float) -> tuple[Outgoing, Outcome]:
        """Send and wait. Ctrl-C deletes what may be stored (RIPC-ASK-6)."""
        now = monotonic()
        outgoing = Outgoing(new_request_id(_DICE).encode(), content, to, now, now + timeout)
        call = Call(self._stream.encode(), self._instance.encode(), outgoing, self._highest, self._early_end)
        try:
            self._converse(call)
        except BaseException:
            # The connection waits for a reply: what may be stored is found and deleted over another one.
            sent = self._link is not None and self._link.sent
            self._drop()
            call.lost(sent, "interrupted", monotonic())
            call.cancel(monotonic())
            self._converse(call)
            raise
        self._highest = call.highest
        assert call.outcome is not None
        return outgoing, call.outcome

    def close(self) -> None:
        self._drop()

    def _converse(self, call: Call) -> None:
        used = False
        while (turn := call.turn(monotonic())) is not None:
            pause = turn.at - monotonic()
            if pause > 0:
                sleep(pause)
                continue
            if turn.fresh and used:
                self._drop()
            if self._link is None and not self._open(call, max(0.01, turn.limit - monotonic())):
                continue
            used = True
            assert self._link is not None
            try:
                replies = self._link.exchange(turn.commands, turn.limit)
            except OSError as error:
                sent = self._link.sent
                self._drop()
                call.lost(sent, str(error) or type(error).__name__, monotonic())
                continue
            moved = str(getattr(replies[0], "message", "")) if getattr(replies[0], "kind", "") == "MOVED" else ""
            if moved:
                # It was not executed: the next connection goes to the node that the redirection names.
                host, _, port = moved.split()[2].rpartition(":")
                self._node = self._node.at(host, int(port))
                self._drop()
                call.lost(False, moved, monotonic())
                continue
            call.replied(replies, monotonic())
            self._link.sent = False

    def _open(self, call: Call, limit: float) -> bool:
        try:
            self._link = self._client.open(self._node, min(5.0, limit))
        except Problem as problem:
            call.lost(False, str(problem), monotonic())
            return False
        return True

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
