"""``Stream`` for threads: every call may come from any thread."""

from __future__ import annotations

import atexit
import inspect
import logging
import signal
import threading
import weakref
from collections.abc import Mapping
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any

from redisipc.errors import ClosedError, ConfigurationError, RedisIPCError
from redisipc.protocol.content import encode
from redisipc.protocol.events import Incoming, Outcome, Outgoing, State
from redisipc.protocol.settings import check_grace
from redisipc.runtime.base import BaseStream, H
from redisipc.runtime.driver import Driver
from redisipc.runtime.options import Options
from redisipc.runtime.response import Response

from .connection import Target
from .handlers import CallbackJob
from .host import Host
from .loop import Loop
from .requests import RequestFuture, Ticket


class Stream(BaseStream):
    __doc__ = BaseStream.__doc__

    _loop: Loop
    _target: Target
    _host: Host

    @classmethod
    def from_url(cls, url: str, stream: str, group: str, *, options: Options | None = None, **given: Any) -> Stream:
        """An endpoint on the Redis at ``url``; see the class for the rest."""
        return cls(stream, group, url=url, options=options, **given)

    # its life

    def connect(
        self,
        *,
        url: str | None = None,
        client: Any = None,
        redis_options: Mapping[str, Any] | None = None,
        logger: logging.Logger | None = None,
        **given: Any,
    ) -> Stream:
        """Join the stream, and return when others can find this endpoint. From then on it repairs itself.

        ``url``, ``client``, ``logger`` and options by name may have been given to the constructor as well;
        ``redis_options`` are arguments of redis-py's ``Redis``, among them ``url``. Raises ``ConnectionLost`` when Redis
        cannot be reached within ``connect_timeout`` or refuses us, ``AlreadyConnected``, ``ClosedError`` where
        ``disconnect()`` was called meanwhile, and ``ConfigurationError`` for options that cannot work.
        """
        self._configure(url, client, redis_options, logger, given)
        try:
            self._target = Target(self._url, self._client, self._redis_options, self._stream)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"the connection's settings are wrong: {error}") from error
        loop = self._loop = Loop(f"redisipc-{self._group}")
        core = self._make_core()
        self._host = Host(self, loop, self._target)
        self._driver = loop.driver = Driver(core, self._host, self._options.wakeups)
        with loop.lock:
            self._core = core
            core.start(monotonic())
            loop.driver.pump(monotonic())
            loop.start()
        loop.lock.acquire()
        loop.wait_until(self._host.joined, self._options.connect_timeout)
        if core.state is not State.UP:
            lost = self._lost_error(core)
            self.disconnect(0)
            raise lost
        _connected.add(self)
        return self

    def disconnect(self, timeout: float | None = None) -> None:
        """Leave: take no more requests, give back what was not started, let handlers and own requests end, deregister.

        ``timeout`` is in seconds, None means the option ``close_timeout``; it may take up to a second more. What has not
        ended by then is given up: own requests end as cancelled, handlers learn it, and their requests are left to
        others. Does nothing where nothing is connected. Called in a handler, it does not wait.
        """
        grace = self._options.close_timeout if timeout is None else check_grace("timeout", timeout)
        core = self._core
        if core is None:
            return
        if self._forked:
            self._core, self._forked = None, False
            return
        loop, left = self._loop, self._host.left
        loop.lock.acquire()
        try:
            core.close(monotonic(), grace)
            loop.touch()
        except BaseException:
            loop.unlock()
            raise
        if loop.in_job:
            loop.unlock()
            return
        loop.wait(left)
        loop.crew.join(1.0)

    close = disconnect

    def run(self, **given: Any) -> None:
        """Connect, unless it is, and serve until SIGTERM, SIGINT or ``disconnect()``; then leave in order.

        A second SIGINT does not wait. In a thread other than the main one no signal is looked at.
        """
        if self._core is None:
            try:
                self.connect(**given)
            except ClosedError:
                # Somebody called disconnect() meanwhile.
                return
        stop = self._host.ended
        before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (int(signal.SIGTERM), int(signal.SIGINT)):
                before[number] = signal.signal(number, lambda _number, _frame: stop.set())
        try:
            stop.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        self.disconnect()

    def __enter__(self) -> Stream:
        return self if self._core is not None else self.connect()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.disconnect()

    # asking

    def send_to_group(self, content: Any, to: str, timeout: float | None = None) -> Response:
        """Ask the group ``to`` and wait for its ``Response``, which is rejected when there is none within ``timeout``
        seconds.

        A timeout says nothing about whether the handler ran. Raises only for misuse: ``ContentError``,
        ``ConfigurationError`` for a blank group or a timeout that is no positive number, ``NotConnected``,
        ``ClosedError``, ``Overloaded``.
        """
        return self._response(*self._ask(content, to, timeout))

    def request(self, content: Any, to: str, timeout: float | None = None) -> Any:
        """Ask the group ``to`` and return its answer, within ``timeout`` seconds (None: the option ``timeout``).

        Raises ``Rejected``, ``RequestTimeout``, ``RequestCancelled``, ``RequestFailed``, and as ``send_to_group`` does.
        """
        return self._response(*self._ask(content, to, timeout)).result()

    def submit(self, content: Any, to: str, timeout: float | None = None) -> RequestFuture:
        """Ask the group ``to`` and return a future of what ``request`` returns or raises; ``timeout`` in seconds, as there.

        ``cancel()`` gives the request up. Raises for misuse at once, as ``send_to_group`` does.
        """
        text = encode(content)
        core, loop = self._live(), self._loop
        future = RequestFuture(self._cancel)
        loop.lock.acquire()
        try:
            outgoing = core.send(text, to, self._options.timeout if timeout is None else timeout, monotonic())
            future._outgoing = outgoing
            outgoing.data = lambda outcome: loop.add(CallbackJob(self._resolve, future, outgoing, outcome))
            loop.touch()
        finally:
            loop.unlock()
        return future

    def _ask(self, content: Any, to: str, timeout: float | None) -> tuple[Outgoing, Outcome]:
        text = encode(content)
        core, loop = self._live(), self._loop
        ticket = Ticket()
        now = monotonic()
        loop.lock.acquire()
        try:
            outgoing = core.send(text, to, self._options.timeout if timeout is None else timeout, now)
            outgoing.data = partial(self._deliver, ticket)
            loop.calling(now)
            loop.driver.pump(now)
        except BaseException:
            loop.unlock()
            raise
        try:
            loop.wait(ticket)
        except BaseException:
            # Ctrl-C: nobody waits for it any longer.
            self._cancel(outgoing)
            raise
        assert ticket.outcome is not None
        return outgoing, ticket.outcome

    def _deliver(self, ticket: Ticket, outcome: Outcome) -> None:
        ticket.outcome = outcome
        self._loop.finish(ticket)

    def _resolve(self, future: RequestFuture, outgoing: Outgoing, outcome: Outcome) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(self._response(outgoing, outcome).result())
        except RedisIPCError as error:
            future.set_exception(error)

    def _cancel(self, outgoing: Outgoing) -> None:
        core, loop = self._core, self._loop
        if core is None or self._forked:
            return
        loop.lock.acquire()
        try:
            core.cancel(outgoing, monotonic())
            loop.touch()
        finally:
            loop.unlock()

    def _left(self) -> None:
        self._core = None
        _connected.discard(self)

    # answering

    def on_request(self, handler: H) -> H:
        if inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__):
            raise ConfigurationError(
                "on_request takes a plain function here; async handlers need redisipc.asyncio.Stream"
            )
        return super().on_request(handler)

    def _answer(self, incoming: Incoming, status: str, text: bytes) -> None:
        core, loop = self._live(), self._loop
        loop.lock.acquire()
        try:
            core.answer(incoming, status, text, monotonic())
            loop.touch()
        finally:
            loop.unlock()

    def _forget(self, incoming: Incoming) -> None:
        core, loop = self._live(), self._loop
        loop.lock.acquire()
        try:
            core.forget(incoming, monotonic())
            loop.touch()
        finally:
            loop.unlock()

    def _report(self, error: RedisIPCError) -> None:
        self._loop.add(CallbackJob(self._tell, error))

    def _note(self, level: int, text: str) -> None:
        # Logging may wait for a disk, or run code of the user.
        self._loop.add(CallbackJob(self._log, level, text))


_connected: weakref.WeakSet[Stream] = weakref.WeakSet()


@atexit.register
def _leave() -> None:
    """At the end of the program: what is connected still leaves, so that nobody waits for its keys to expire."""
    for stream in list(_connected):
        stream.disconnect(0)
