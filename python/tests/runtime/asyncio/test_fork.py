"""An event loop in a process that forks: the child does nothing with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

import pytest

from redisipc import ForkedError
from redisipc.asyncio import Stream

from ..gate import Gate
from .conftest import Connect


async def test_in_a_forked_child_nothing_goes_on(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The acts of a child in the copy of its parent's event loop end no connection of it, and open none."""
    web = await connect("web")
    session: Any = web._session
    waiting = web.submit(1, to="nobody", timeout=30)
    while session._host.openings:
        await asyncio.sleep(0.01)
    opened: list[Any] = []
    monkeypatch.setattr(session.driver.host, "open", lambda *about: opened.append(about))
    transports = session._transports()
    session.after_fork()
    for transport in transports:
        session.loop.lost(transport, "ended in the child")
    for _ in range(10):
        await asyncio.sleep(0)
    session.call(lambda now: opened.append("a call"))
    session.loop.work()
    assert opened == []
    assert session.connected is False
    with pytest.raises(ForkedError):
        await waiting
    for transport in transports:
        transport.close()


class Holding(Gate):
    """Holds back what Redis answers until ``go``."""

    def __init__(self, url: str) -> None:
        self.held, self.go = threading.Event(), threading.Event()
        super().__init__(url)

    def _outward(self, near: socket.socket, far: socket.socket, state: dict[str, Any]) -> None:
        # The test may close both ends while it receives.
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                self.held.set()
                self.go.wait(5)
                near.sendall(data)


@pytest.mark.real("place in another process")
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="asyncio refuses each step of a task in a forked child")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_forked_child_leaves_a_connection_that_is_being_opened_to_its_parent(stream: str, url: str) -> None:
    gate = Holding(url)
    web = Stream(stream, "web", url=gate.url)
    connecting = asyncio.ensure_future(web.connect())
    while not gate.held.is_set():
        await asyncio.sleep(0.005)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(5)
        try:
            # There is no running event loop in the child by asyncio's own word, and yet it continues.
            for _ in range(30):
                await asyncio.sleep(0)
                time.sleep(0.01)
        finally:
            os._exit(0)
    gate.go.set()
    # Its event loop stands still, so that the child has all the time to take the replies.
    os.waitpid(child, 0)
    await connecting
    assert gate.connections <= 3
    await web.disconnect()
    gate.close()
