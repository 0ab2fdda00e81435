"""A signal handler may raise while connect() starts its threads: its own exception comes out, and nothing else is said."""

from __future__ import annotations

import gc
import socket
import threading
import time
from typing import Any

import pytest

from redisipc import Stream
from redisipc.runtime.threads import session as module
from redisipc.runtime.threads.poller import Poller
from redisipc.runtime.threads.session import sessions
from redisipc.runtime.threads.starter import Starter


class SoftLimit(Exception):
    """Raised by a signal handler, as Celery's is."""


class Surprised(threading.Event):
    """The exception comes while ``Thread.start`` waits, and Python's own lock is not held: its release raises, too."""

    def wait(self, timeout: float | None = None) -> bool:
        super().wait(timeout)
        lock = threading.Lock()
        with lock:
            lock.release()
            raise SoftLimit


class SurprisedStarter(Starter):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        vars(self.thread)["_started"] = Surprised()


def test_the_exception_of_the_handler_comes_out(stream: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Starter", SurprisedStarter)
    before = set(sessions)
    web = Stream(stream, "web", url=url)
    with pytest.raises(SoftLimit):
        web.connect()
    monkeypatch.undo()
    # It leaves by itself.
    end = time.monotonic() + 10
    while set(sessions) != before and time.monotonic() < end:
        time.sleep(0.01)
    assert set(sessions) == before
    with web.connect():
        assert web.health().state == "up"


def test_an_exception_while_a_poller_is_made_leaves_nothing_to_complain_of(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", complaints.append)

    def surprised(*_: Any) -> Any:
        raise SoftLimit

    monkeypatch.setattr(socket, "socketpair", surprised)
    with pytest.raises(SoftLimit):
        Poller()
    gc.collect()
    assert complaints == []
