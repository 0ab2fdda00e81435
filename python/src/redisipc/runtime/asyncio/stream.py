"""``Stream`` for asyncio: every call comes from the event loop that it was connected in."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Coroutine, Mapping
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any

from redisipc.errors import ClosedError, ConfigurationError, RedisIPCError, WrongLoopError
from redisipc.protocol.content import encode
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.events import Incoming, Outcome, Outgoing, State
from redisipc.protocol.settings import check_grace
from redisipc.runtime.base import BaseStream
from redisipc.runtime.driver import Driver
from redisipc.runtime.options import Options
from redisipc.runtime.response import Response

from .connection import Target
from .handlers import CallbackJob, make_task
from .host import Host
from .loop import Loop
from .requests import RequestFuture


class Stream(BaseStream):
    __doc__ = BaseStream.__doc__

    _loop: Loop
    _target: Target
    _host: Host
    _now = staticmethod(monotonic)

    @classmethod
    def from_url(cls, url: str, stream: str, group: str, *, options: Options | None = None, **given: Any) -> Stream:
        """An endpoint on the Redis at ``url``; see the class for the rest."""
        return cls(stream, group, url=url, options=options, **given)

    # its life

    async def connect(
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
        self._forget_dead_loop()
        self._configure(url, client, redis_options, logger, given)
        try:
            self._target = Target(self._url, self._client, self._redis_options, self._stream)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"the connection's settings are wrong: {error}") from error
        home = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        loop = self._loop = Loop(home, self._report)
        core = self._make_core()
        self._host = Host(self, loop, self._target)
        self._driver = loop.driver = Driver(core, self._host, self._options.wakeups)
        self._core = core
        core.start(monotonic())
        loop.start()
        try:
            await asyncio.wait([self._host.joined], timeout=self._options.connect_timeout)
        finally:
            failed = core.state is not State.UP
            lost = self._lost_error(core)
            if failed:
                await self.disconnect(0)
        if failed:
            raise lost
        return self

    async def disconnect(self, timeout: float | None = None) -> None:
        """Leave: take no more requests, give back what was not started, let handlers and own requests end, deregister.

        ``timeout`` is in seconds, None means the option ``close_timeout``; it may take up to a second more. What has not
        ended by then is given up: own requests end as cancelled, handlers are cancelled, and their requests are left
        to others. Does nothing where nothing is connected. Called in a handler, it does not wait.
        """
        grace = self._options.close_timeout if timeout is None else check_grace("timeout", timeout)
        self._forget_dead_loop()
        core = self._core
        if core is None:
            return
        if self._forked:
            self._core, self._forked = None, False
            return
        self._check_loop()
        core.close(monotonic(), grace)
        self._loop.work()
        if asyncio.current_task() in self._tasks:
            return
        await asyncio.shield(self._host.left)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1.0)

    close = disconnect
    aclose = disconnect

    async def run(self, **given: Any) -> None:
        """Connect, unless it is, and serve until SIGTERM, SIGINT or ``disconnect()``; then leave in order.

        A second SIGINT does not wait. In a thread other than the main one no signal is looked at.
        """
        self._forget_dead_loop()
        if self._core is None:
            try:
                await self.connect(**given)
            except ClosedError:
                # Somebody called disconnect() meanwhile.
                return
        home, stop = self._loop.home, asyncio.Event()
        watched: list[int] = []
        for number in (int(signal.SIGTERM), int(signal.SIGINT)):
            try:
                home.add_signal_handler(number, stop.set)
                watched.append(number)
            except (NotImplementedError, RuntimeError, ValueError):
                pass
        self._host.left.add_done_callback(lambda _: stop.set())
        try:
            await stop.wait()
        finally:
            for number in watched:
                home.remove_signal_handler(number)
        await self.disconnect()

    async def __aenter__(self) -> Stream:
        self._forget_dead_loop()
        return self if self._core is not None else await self.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.disconnect()

    # asking

    async def send_to_group(self, content: Any, to: str, timeout: float | None = None) -> Response:
        """Ask the group ``to`` and wait for its ``Response``, which is rejected when there is none within ``timeout``
        seconds.

        A timeout says nothing about whether the handler ran. Raises only for misuse: ``ContentError``,
        ``ConfigurationError`` for a blank group or a timeout that is no positive number, ``NotConnected``,
        ``ClosedError``, ``Overloaded``.
        """
        return self._response(*await self._ask(content, to, timeout))

    async def request(self, content: Any, to: str, timeout: float | None = None) -> Any:
        """Ask the group ``to`` and return its answer, within ``timeout`` seconds (None: the option ``timeout``).

        Raises ``Rejected``, ``RequestTimeout``, ``RequestCancelled``, ``RequestFailed``, and as ``send_to_group`` does.
        """
        return self._response(*await self._ask(content, to, timeout)).result()

    def submit(self, content: Any, to: str, timeout: float | None = None) -> RequestFuture:
        """Ask the group ``to`` and return a future of what ``request`` returns or raises; ``timeout`` in seconds, as there.

        ``cancel()`` gives the request up. Raises for misuse at once, as ``send_to_group`` does.
        """
        text = encode(content)
        core, loop = self._live(), self._loop
        future = RequestFuture(self._cancel, loop=loop.home)
        outgoing = core.send(text, to, self._options.timeout if timeout is None else timeout, monotonic())
        future._outgoing = outgoing
        outgoing.data = lambda outcome: self._resolve(future, outgoing, outcome)
        loop.touch()
        return future

    async def _ask(self, content: Any, to: str, timeout: float | None) -> tuple[Outgoing, Outcome]:
        text = encode(content)
        core, loop = self._live(), self._loop
        future: asyncio.Future[Outcome] = loop.home.create_future()
        outgoing = core.send(text, to, self._options.timeout if timeout is None else timeout, monotonic())
        outgoing.data = partial(_set, future)
        loop.touch()
        try:
            return outgoing, await future
        except BaseException:
            self._cancel(outgoing)
            raise

    def _resolve(self, future: RequestFuture, outgoing: Outgoing, outcome: Outcome) -> None:
        if future.done():
            return
        try:
            future.set_result(self._response(outgoing, outcome).result())
        except RedisIPCError as error:
            future.set_exception(error)

    def _cancel(self, outgoing: Outgoing) -> None:
        core = self._core
        if core is None or self._forked:
            return
        core.cancel(outgoing, monotonic())
        self._loop.touch()

    def _left(self) -> None:
        self._core = None

    def _forget_dead_loop(self) -> None:
        """An event loop that has ended takes the endpoint with it: its connections are gone, others see it as crashed."""
        if self._core is not None and not self._forked and self._loop.home.is_closed():
            self._core = None

    # answering

    def _answer(self, incoming: Incoming, status: str, text: bytes) -> None:
        self._live().answer(incoming, status, text, monotonic())
        self._loop.touch()

    def _forget(self, incoming: Incoming) -> None:
        self._live().forget(incoming, monotonic())
        self._loop.touch()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = make_task(self._loop.home, self._known(work))
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _known(self, work: Coroutine[Any, Any, None]) -> None:
        # A task that runs at once is ours before make_task returns it.
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await work
        finally:
            self._tasks.discard(task)

    def _live(self) -> Endpoint:
        core = super()._live()
        self._check_loop()
        return core

    def _check_loop(self) -> None:
        try:
            running: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if running is not self._loop.home:
            where = "another event loop" if running is not None else "a thread without an event loop"
            if self._loop.home.is_closed():
                raise WrongLoopError(
                    f"the event loop that {self!r} was connected in has ended; call connect() in this one"
                )
            raise WrongLoopError(
                f"{self!r} was connected in one event loop and is used in {where}; connect one Stream per loop, or go "
                "through asyncio.run_coroutine_threadsafe"
            )

    def _report(self, error: RedisIPCError) -> None:
        self._loop.jobs.append(CallbackJob(self, self._tell, error))
        self._loop.touch()


def _set(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
