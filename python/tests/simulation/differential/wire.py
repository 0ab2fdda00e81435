"""The least client that can talk RESP2 to a real server: commands out, raw replies in."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from redisipc.protocol.commands import Command, Failure


def encode(command: Command) -> bytes:
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


class Wire:
    """One connection; ``seconds`` is the time to wait for a reply."""

    def __init__(self, port: int, seconds: float = 10.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def send(self, commands: Sequence[Command]) -> None:
        self._socket.sendall(b"".join(map(encode, commands)))

    def call(self, *command: str | bytes | int) -> Any:
        self.send([command])
        return self.receive()

    def receive(self) -> Any:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            text = rest.decode("utf-8", "replace")
            return Failure(text.split(" ", 1)[0], text)
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"$":
            return self._file.read(size + 2)[:-2]
        return [self.receive() for _ in range(size)]

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()
