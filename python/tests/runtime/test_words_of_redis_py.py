"""The errors that the installed redis-py raises on real connections, in the words that our users read."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
import redis.sentinel
from redis.backoff import NoBackoff
from redis.retry import Retry

from redisipc.runtime.handshake_errors import CLOSED_FIRST, words_of

from .faces import Face


def at_once(near: socket.socket) -> None:
    near.close()


def after_a_command(near: socket.socket) -> None:
    near.recv(1000)
    near.close()


def by_reset(near: socket.socket) -> None:
    near.recv(1000)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    near.close()


def with_http(near: socket.socket) -> None:
    near.recv(1000)
    near.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def never(near: socket.socket) -> None:
    near.recv(1000)
    near.recv(1000)


class Odd:
    """A server that answers each connection in its own way."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._answer = answer
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer_to, args=(near,), daemon=True).start()

    def _answer_to(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            self._answer(near)

    def close(self) -> None:
        self._listener.close()


async def error_of(face: Face, url: str, **options: Any) -> Exception:
    """The error that redis-py raises for a PING there."""
    if face.name == "threads":
        client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **options)
        try:
            await asyncio.to_thread(client.ping)
        except redis.RedisError as error:
            return error
        finally:
            client.close()
    else:
        other = redis.asyncio.Redis.from_url(url, retry=redis.asyncio.retry.Retry(NoBackoff(), 0), **options)
        try:
            await other.ping()
        except redis.RedisError as error:
            return error
        finally:
            await other.aclose()
    raise AssertionError("redis-py raised nothing")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_port_that_nobody_listens_at(face: Face, closed_port: int, host: str) -> None:
    words = words_of(await error_of(face, f"redis://{host}:{closed_port}"))
    address = rf"{host}:{closed_port}"
    one = rf"Error 111 connecting to {address}\. Connection refused"
    each = rf"Error connecting to {address}\. Connection refused \(.*\)(, Connection refused \(.*\))*"
    assert re.fullmatch(f"{one}|{each}", words), words


BROKEN = (
    r"Connection closed by server|Error while reading from 127\.0\.0\.1:\d+ ?: Connection reset by peer"
    r"|" + re.escape(CLOSED_FIRST)
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (at_once, BROKEN),
        (after_a_command, BROKEN),
        (by_reset, BROKEN),
        (with_http, r"Protocol [Ee]rror.*|the connection failed \(\w+\)"),
        (never, r"Timeout reading from (socket|127\.0\.0\.1:\d+)"),
    ],
)
async def test_a_connection_that_breaks_in_the_handshake(
    face: Face, answer: Callable[[socket.socket], None], expected: str
) -> None:
    server = Odd(answer)
    words = words_of(await error_of(face, f"redis://127.0.0.1:{server.port}", socket_timeout=0.3))
    server.close()
    assert re.fullmatch(expected, words), words
    assert_plain(words)


@pytest.mark.parametrize(
    "text",
    ["Error UNKNOWN while writing to socket. Connection lost.", "Error 32 while writing to socket. Broken pipe."],
)
def test_a_connection_that_redis_closed_while_it_was_written_to(text: str) -> None:
    """At its limit of clients, for example: its refusal is lost with the connection."""
    assert words_of(redis.ConnectionError(text)) == CLOSED_FIRST


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("redis://nowhere.invalid:1", r"Error -?\d+ connecting to nowhere\.invalid:1\. .*"),
        ("unix:///nowhere/redis.sock", r"Error 2 connecting to .*/nowhere/redis\.sock\. No such file or directory"),
    ],
)
async def test_an_address_that_does_not_exist(face: Face, address: str, expected: str) -> None:
    words = words_of(await error_of(face, address))
    assert re.fullmatch(expected, words), words
    assert_plain(words)


async def test_tls_to_a_server_without_it(face: Face) -> None:
    server = Odd(with_http)
    words = words_of(await error_of(face, f"rediss://127.0.0.1:{server.port}", socket_timeout=2.0))
    server.close()
    assert "SSL" in words
    assert_plain(words)


async def test_a_sentinel_that_is_not_there(closed_port: int) -> None:
    """Its text contains the ``repr`` of a client and of an error."""
    sentinel = redis.sentinel.Sentinel([("127.0.0.1", closed_port)])
    with pytest.raises(redis.sentinel.MasterNotFoundError) as caught:
        await asyncio.to_thread(sentinel.discover_master, "main")
    assert_plain(words_of(caught.value))


def assert_plain(words: str) -> None:
    """It has no ``repr`` of a tuple, an error, bytes or an object."""
    assert not re.search(r"\('|\(-?\d+, ['\"]|b'|Error\(|<\w+|\{", words), words
