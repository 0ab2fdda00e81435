"""A session as its host and handlers see it. The session makes them, so this file prevents a circle of imports."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, Protocol

from redisipc.protocol.events import Incoming
from redisipc.runtime.session import BaseSession

from .backlog import Backlog
from .loop import Loop
from .requests import FutureTicket, Ticket

Waiter = Ticket | FutureTicket


class Job(Protocol):
    """One start of the handler for one request."""

    def __call__(self) -> None:
        """Begin."""

    def look_after(self) -> None:
        """Between turns of the event loop: continue, or end, where an exception of a signal handler interrupted it."""


class SessionBase(BaseSession):
    """The parts that ``Session`` makes.

    ``waiting``: requests that were sent and have no outcome yet, in order. ``started``: requests whose handler runs.
    ``reports`` and ``cancels``: calls of ``on_error``, ``on_state`` and the log, and those of ``on_cancel`` functions.
    """

    loop: Loop
    waiting: dict[Waiter, None]
    started: dict[Incoming, Job]
    reports: Backlog
    cancels: Backlog

    def tell_joined(self) -> None:
        """Other endpoints can find this one, or Redis refused it for good."""
        raise NotImplementedError

    def spawn(self, work: Coroutine[Any, Any, None], context: Context, callback: str = "") -> asyncio.Task[None]:
        """Run a coroutine in a task that is cancelled when the session has ended. ``callback``: its name, if it is one."""
        raise NotImplementedError

    def settle_lost(self, waiting: list[Waiter]) -> None:
        """After an interruption: those of ``waiting`` whose end got lost on its way."""
        raise NotImplementedError
