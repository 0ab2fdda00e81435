"""The common part of all kinds of servers."""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType

from ..wire import resp
from ..wire.address import Address, without_passwords


class NoServer(Exception):
    """No Redis of this kind is available here; the message says why."""


@dataclass(frozen=True)
class About:
    """A server, as it describes itself."""

    brand: str
    version: str

    def __str__(self) -> str:
        return f"{self.brand} {self.version}"

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split(".") if part.isdigit())


class Server(ABC):
    """A running Redis. Use it as a context manager. Closing it ends everything that was started for it."""

    kind: str = ""
    """How it was found: `REDIS_URL`, `container`, `local`, `embedded`."""

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def close(self) -> None: ...

    def stop(self) -> None:
        """Stops like a service. Not every kind can."""
        raise NoServer(f"a {self.kind} server cannot be stopped by the suite")

    def start(self, *, empty: bool = False) -> None:
        """Comes back on the same port, with its data or without."""
        raise NoServer(f"a {self.kind} server cannot be started again by the suite")

    def kill(self) -> None:
        """Dies at once, without writing its data. ``start`` starts it again."""
        raise NoServer(f"a {self.kind} server cannot be killed by the suite")

    def freeze(self) -> None:
        """Pauses: its connections stay open, and nothing is answered."""
        raise NoServer(f"a {self.kind} server cannot be stopped by the suite")

    def thaw(self) -> None:
        """Continues after ``freeze``."""
        raise NoServer(f"a {self.kind} server cannot be stopped by the suite")

    def about(self) -> About:
        """Brand and version, asked from the server."""
        return ask(self.url)

    def __str__(self) -> str:
        return f"{self.about()} ({self.kind})"

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _command(sock: socket.socket, *args: str) -> object:
    sock.sendall(resp.encode_command(args))
    buffer = bytearray()
    while True:
        with contextlib.suppress(resp.Incomplete):
            return resp.parse(buffer)[0]
        data = sock.recv(65536)
        if not data:
            raise OSError("connection closed")
        buffer += data


def connect(url: str, seconds: float = 2.0) -> socket.socket:
    """A plain socket after its handshake, for the few blocking questions."""
    address = Address.parse(url)
    sock: socket.socket = socket.create_connection((address.host, address.port), timeout=seconds)
    if address.tls:
        import ssl

        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=address.host)
    for greeting in address.greeting():
        reply = _command(sock, *greeting)
        if isinstance(reply, resp.ErrorReply):
            raise NoServer(f"{address.host}:{address.port} says {reply.text}")
    return sock


def ask(url: str) -> About:
    """Brand and version of the server at `url`; raises OSError if there is no answer."""
    with connect(url) as sock:
        reply = _command(sock, "INFO", "server")
    if not isinstance(reply, bytes):
        raise NoServer(f"INFO was refused: {reply}")
    fields = dict(line.split(":", 1) for line in reply.decode().splitlines() if ":" in line)
    if "valkey_version" in fields:
        return About("Valkey", fields["valkey_version"])
    return About("Redis", fields.get("redis_version", "0"))


def wait_until_up(url: str, seconds: float) -> None:
    """Waits until PING is answered with PONG. Raises NoServer after `seconds`."""
    deadline = time.monotonic() + seconds
    problem: object = "no answer"
    while time.monotonic() < deadline:
        try:
            with connect(url, 1.0) as sock:
                problem = _command(sock, "PING")
                if problem == b"PONG":
                    return
        except OSError as error:
            problem = error.strerror or error
        time.sleep(0.01)
    raise NoServer(f"the server at {without_passwords(url)} did not come up within {seconds:g} s: {problem}")


def free_port() -> int:
    """A free port. Outgoing connections get theirs from 32768 on, so a restarted server finds this one free."""
    candidates = [secrets.randbelow(12_000) + 20_000 for _ in range(20)]
    for wanted in (*candidates, 0):
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", wanted))
            port: int = sock.getsockname()[1]
            return port
    raise NoServer("no port is free")
