"""The thread that starts other threads, so that no other thread waits for that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from logging import ERROR
from queue import SimpleQueue
from typing import Any

from redisipc.runtime.internal_log import say
from redisipc.runtime.reasons import described


def new_thread(work: Callable[..., None], arguments: tuple[Any, ...], name: str) -> threading.Thread:
    """A daemon thread, if the interpreter allows such threads."""
    try:
        return threading.Thread(target=work, args=arguments, name=name, daemon=True)
    except RuntimeError:  # a sub-interpreter without daemon threads
        return threading.Thread(target=work, args=arguments, name=name, daemon=False)


def start(thread: threading.Thread) -> None:
    """Start it. What a signal handler raises meanwhile stays what it is: Python's own error may come in its place."""
    try:
        thread.start()
    except (KeyError, RuntimeError) as error:
        raised = error.__context__
        if raised is None or (isinstance(error, RuntimeError) and "lock" not in str(error)):
            raise
        # Python held a lock of its own, or noted twice that the thread runs.
        raise raised from raised.__cause__


class Starter:
    """A thread for slow work that is not the user's code: above all, it starts other threads.

    Starting a thread may take long on a busy machine, and may fail; the I/O thread waits for neither. A second one is
    the reserve: if the system has no more threads, the user's code runs there, and no connection waits for it.
    ``busy``: it does something.
    """

    def __init__(self, name: str) -> None:
        self.busy: bool = False
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.thread: threading.Thread = new_thread(self._run, (), name)

    def put(self, work: Callable[[], None]) -> None:
        self._work.put(work)

    def stop(self) -> None:
        self._work.put(None)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            self.busy = True
            try:
                work()
            except BaseException as error:
                say(ERROR, "internal error: %s", described(error), error=error)
            del work
            self.busy = False
