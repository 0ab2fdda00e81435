"""One connection to Redis: commands out, replies in, each within a time limit."""

from __future__ import annotations

import contextlib
import socket
from time import monotonic
from typing import Any

from redisipc.protocol.commands import Arg, Command, Failure
from redisipc.runtime.resp import MISSING, ProtocolError, make_parser, pack

from .address import Address

READ_SIZE = 65536
NAME = "redisipc:cli"


class Link:
    """Open after its making. Raises OSError for what the network does, ``Refused`` for what Redis says at the handshake."""

    def __init__(self, address: Address, limit: float) -> None:
        self.address = address
        self.sent: bool = False
        self._parser = make_parser()
        self._sock = address.open(limit)
        try:
            self._shake_hands(monotonic() + limit)
        except BaseException:
            self.close()
            raise

    def _shake_hands(self, until: float) -> None:
        commands: list[Command] = []
        if self.address.password or self.address.user:
            user = (self.address.user,) if self.address.user else ()
            commands.append(("AUTH", *user, self.address.password))
        if self.address.db:
            commands.append(("SELECT", self.address.db))
        needed = len(commands)
        # Refused without the right to CLIENT: the connection works, and has no name.
        replies = self.exchange([*commands, ("CLIENT", "SETNAME", NAME)], until)
        for reply in replies[:needed]:
            if isinstance(reply, Failure):
                raise Refused(reply)
        if isinstance(replies[-1], Failure) and replies[-1].kind in ("NOAUTH", "DENIED"):
            raise Refused(replies[-1])

    def exchange(self, commands: list[Command], until: float) -> list[Any]:
        """The replies to all commands, which must be there by ``until`` (monotonic). Raises OSError."""
        self.send(commands, until)
        return [self.reply(until) for _ in commands]

    def send(self, commands: list[Command], until: float) -> None:
        self.sent = False
        data = pack([tuple(_bytes(word) for word in command) for command in commands])
        self._sock.settimeout(max(0.001, until - monotonic()))
        self.sent = True
        self._sock.sendall(data)

    def reply(self, until: float) -> Any:
        """The next reply. TimeoutError when it is not there by ``until``; what came so far is kept."""
        while True:
            try:
                reply = self._parser.gets()
            except ProtocolError as error:
                # The words of the parser are not for users, and hiredis has others.
                raise ConnectionError("its answer is not one of Redis; is this a Redis server?") from error
            if reply is not MISSING:
                return reply
            left = until - monotonic()
            if left <= 0:
                raise TimeoutError("Redis did not answer in time")
            self._sock.settimeout(left)
            data = self._sock.recv(READ_SIZE)
            if not data:
                raise ConnectionError("Redis closed the connection")
            self._parser.feed(data)

    def receive(self, size: int, limit: float) -> bytes:
        """Bytes as they come, after at most ``limit`` seconds (TimeoutError), for what is not RESP."""
        self._sock.settimeout(max(0.001, limit))
        data = self._sock.recv(size)
        if not data:
            raise ConnectionError("Redis closed the connection")
        return data

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


def _bytes(word: Arg) -> Arg:
    # Names of others that are not UTF-8 are strings with surrogates.
    return word.encode("utf-8", "surrogateescape") if isinstance(word, str) else word


class Refused(Exception):
    """Redis answered with an error: ``failure``."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
