"""What the driver tells and asks, for asyncio. Everything is called in the event loop."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from redisipc.protocol.events import Incoming, State, StateChanged
from redisipc.runtime.host import BaseHost
from redisipc.runtime.lane import Lane
from redisipc.runtime.refusals import of_handshake
from redisipc.runtime.request import Request

from .connection import Target, TransportWire
from .handlers import CallbackJob, RequestJob
from .loop import Loop

if TYPE_CHECKING:
    from .stream import Stream


class Host(BaseHost):
    """Opens connections in tasks of their own, and hands jobs to the loop."""

    def __init__(self, stream: Stream, loop: Loop, target: Target) -> None:
        super().__init__(stream)
        self._stream = stream
        self._loop = loop
        self._target = target
        self._opening: set[asyncio.Task[None]] = set()
        self.joined: asyncio.Future[None] = loop.home.create_future()
        self.left: asyncio.Future[None] = loop.home.create_future()

    def open(self, lane: Lane, attempt: int) -> None:
        name = self.connection_name(lane, self._loop.driver.core.instance)
        task = self._loop.home.create_task(self._open(lane, attempt, name))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, lane: Lane, attempt: int, name: str) -> None:
        loop = self._loop
        try:
            writer = await self._target.connect(name)
        except Exception as error:
            loop.driver.open_failed(lane, attempt, *of_handshake(error), monotonic())
        else:
            loop.driver.opened(lane, attempt, TransportWire(lane, writer, loop.received, loop.lost), monotonic())
        loop.work()

    def start(self, incoming: Incoming) -> None:
        self._loop.jobs.append(RequestJob(self._stream, incoming))

    def cancelled(self, incoming: Incoming, reason: str) -> None:
        if isinstance(incoming.data, Request):
            for callback in incoming.data._cancel_callbacks():
                self._loop.jobs.append(CallbackJob(self._stream, callback))

    def changed(self, event: StateChanged) -> None:
        super().changed(event)
        if (event.state is State.UP or event.permanent) and not self.joined.done():
            self.joined.set_result(None)

    def closed(self) -> None:
        self._stream._left()
        self.tell_left()
        self._loop.stop()
        for future in (self.joined, self.left):
            if not future.done():
                future.set_result(None)
