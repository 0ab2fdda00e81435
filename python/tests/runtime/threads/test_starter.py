"""Starting a thread while a signal handler raises: its exception comes out, and not one of Python's own."""

from __future__ import annotations

import threading

import pytest

from redisipc.runtime.threads.starter import start


class Soft(Exception):
    """Raised by a signal handler: a soft time limit, for example."""


class Interrupted(threading.Thread):
    """Its start is interrupted, and Python's own code raises ``error`` then, as ``threading`` does."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def start(self) -> None:
        try:
            raise Soft
        except Soft as raised:
            raise self._error from raised


@pytest.mark.parametrize("error", [KeyError("<Thread>"), RuntimeError("release unlocked lock")])
def test_what_a_signal_handler_raised_comes_out(error: Exception) -> None:
    with pytest.raises(Soft):
        start(Interrupted(error))


class Refused(threading.Thread):
    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_a_thread_that_the_system_refuses_stays_an_error() -> None:
    with pytest.raises(RuntimeError, match="can't start"):
        start(Refused())
