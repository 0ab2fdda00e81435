"""What the driver tells and asks, for threads. Everything is called with the loop's lock held, but for ``_open``."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

from redisipc.protocol.events import Incoming, State, StateChanged
from redisipc.runtime.host import BaseHost
from redisipc.runtime.lane import Lane
from redisipc.runtime.refusals import of_handshake
from redisipc.runtime.request import Request

from .connection import SocketWire, Target
from .handlers import CallbackJob, RequestJob
from .loop import Loop
from .requests import Ticket

if TYPE_CHECKING:
    from .stream import Stream


class Host(BaseHost):
    """Opens connections in threads of their own, and hands jobs to the loop."""

    def __init__(self, stream: Stream, loop: Loop, target: Target) -> None:
        super().__init__(stream)
        self._stream = stream
        self._loop = loop
        self._target = target
        self.joined = Ticket()
        self.left = Ticket()
        self.ended = threading.Event()

    def open(self, lane: Lane, attempt: int) -> None:
        # A thread of its own: the time that Redis takes, or a name server, is nobody else's.
        name = self.connection_name(lane, self._loop.driver.core.instance)
        threading.Thread(target=self._open, args=(lane, attempt, name), name="redisipc-connect", daemon=True).start()

    def _open(self, lane: Lane, attempt: int, name: str) -> None:
        loop = self._loop
        try:
            sock = self._target.connect(name)
        except Exception as error:
            loop.lock.acquire()
            loop.driver.open_failed(lane, attempt, *of_handshake(error), monotonic())
        else:
            loop.lock.acquire()
            if loop.stopped:
                loop.lock.release()
                sock.close()
                return
            loop.driver.opened(lane, attempt, SocketWire(lane, sock, loop.poller, loop.dirty), monotonic())
        loop.touch()
        loop.unlock()

    def start(self, incoming: Incoming) -> None:
        self._loop.add(RequestJob(self._stream, incoming))

    def cancelled(self, incoming: Incoming, reason: str) -> None:
        if isinstance(incoming.data, Request):
            for callback in incoming.data._cancel_callbacks():
                self._loop.add(CallbackJob(callback))

    def changed(self, event: StateChanged) -> None:
        super().changed(event)
        if event.state is State.UP or event.permanent:
            self._loop.finish(self.joined)

    def closed(self) -> None:
        stream, loop = self._stream, self._loop
        stream._left()
        self.tell_left()
        loop.finish(self.joined)
        loop.finish(self.left)
        loop.stop()
        self.ended.set()
