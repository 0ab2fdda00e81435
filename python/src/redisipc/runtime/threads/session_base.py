"""A session as its host sees it. The session makes the host, so this file prevents a circle of imports."""

from __future__ import annotations

from typing import Any

from redisipc.runtime.hooks import Hook
from redisipc.runtime.session import BaseSession

from .backlog import Backlog
from .loop import Loop
from .requests import Ticket
from .starter import Starter
from .worker_pool import WorkerPool


class SessionBase(BaseSession):
    """The parts that ``Session`` makes. ``waiting``: requests that were sent and have no outcome yet, in order."""

    loop: Loop
    starter: Starter
    cancels: Backlog
    handlers: WorkerPool
    waiting: dict[Ticket, None]
    joined: Ticket
    gone: Ticket

    def callback(self, hook: Hook, *arguments: Any) -> None:
        """Run a callback: on the I/O thread."""
        raise NotImplementedError
