"""Opening a connection ends in time as a whole, though a step of it never ends: a trickle, a provider that hangs."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import redis

from redisipc.errors import ConnectionLost
from redisipc.runtime.connection import Connection

from .faces import FACES, Face, until

OPENER = "redisipc-connect"


class Trickle:
    """A server whose first reply never ends: one byte comes now and then."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._over = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            sock.sendall(b"$100000\r\n")
            while not self._over.wait(0.05):
                sock.sendall(b"x")

    def close(self) -> None:
        self._over.set()
        self._listener.close()


@pytest.fixture
def trickle() -> Iterator[Trickle]:
    trickle = Trickle()
    yield trickle
    trickle.close()


class HangsOnce(redis.CredentialProvider):
    """Its first call hangs until ``go``."""

    def __init__(self) -> None:
        self.calls = 0
        self.go = threading.Event()

    def get_credentials(self) -> tuple[str, str]:
        self.calls += 1
        if self.calls == 1:
            self.go.wait(30)
        return "default", "any"

    async def get_credentials_async(self) -> tuple[str, str]:
        self.calls += 1
        if self.calls == 1:
            await asyncio.sleep(30)
        return "default", "any"


@pytest.fixture
def hangs_once() -> Iterator[HangsOnce]:
    provider = HangsOnce()
    yield provider
    provider.go.set()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redisipc.runtime.connection.FIRST_OPENING", 0.4, raising=False)


def openers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == OPENER]


@pytest.mark.real("passwords")
async def test_an_opening_that_hangs_is_given_up_and_tried_again(
    face: Face, stream: str, url: str, hangs_once: HangsOnce
) -> None:
    web = face.stream(stream, "web", url=url, connect_timeout=8)
    await face.call(web.connect, redis_options={"credential_provider": hangs_once})
    assert web.connected
    hangs_once.go.set()
    await until(lambda: not openers())


async def test_a_trickle_holds_nobody_and_leaves_no_thread(face: Face, stream: str, trickle: Trickle) -> None:
    web = face.stream(stream, "web", url=trickle.url, connect_timeout=0.7)
    with pytest.raises(ConnectionLost):
        await face.call(web.connect)
    await until(lambda: not openers())


@pytest.mark.parametrize("name", ["threads", "asyncio"])
async def test_a_caller_ends_in_time_while_it_connects(
    name: str, stream: str, url: str, trickle: Trickle, hangs_once: HangsOnce
) -> None:
    face = Face(name, FACES[name])
    one = face.module.Caller(stream, url=trickle.url)
    other = face.module.Caller(stream, url=url, redis_options={"credential_provider": hangs_once})
    for caller in (one, other):
        start = time.monotonic()
        response = await face.call(caller.send_to_group, 1, "nobody", timeout=0.4)
        assert not response.fulfilled
        assert time.monotonic() - start < 0.4 + 1
    hangs_once.go.set()
    await until(lambda: not openers())
    for caller in (one, other):
        await face.call(caller.close)


def test_openings_that_hang_are_bounded() -> None:
    from redisipc.runtime.threads.openings import MOST_HANGING, TOO_MANY, Openings

    told: list[str] = []
    openings = Openings(lambda connection, attempt, reason: told.append(reason))
    connection = Connection("write")
    hanging = [openings.begin(connection, attempt) for attempt in range(MOST_HANGING)]
    openings.look(time.monotonic() + 60)
    assert len(told) == MOST_HANGING
    assert openings.begin(connection, 99) is None
    assert told[-1] == TOO_MANY
    assert hanging[0] is not None
    openings.over(hanging[0])
    assert openings.begin(connection, 100) is not None
