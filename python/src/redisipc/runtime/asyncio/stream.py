"""``Stream`` for asyncio: every call comes from the event loop that it was connected in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from redisipc.calls import explained
from redisipc.errors import ClosedError, RedisIPCError, RequestTimeout
from redisipc.protocol.content import encode
from redisipc.protocol.events import State
from redisipc.protocol.settings import check_grace, check_timeout
from redisipc.runtime.base import BaseStream, Content
from redisipc.runtime.client import SETTINGS_ERRORS, wrong_settings
from redisipc.runtime.options import Options
from redisipc.runtime.request import Request
from redisipc.runtime.response import Response, response_of
from redisipc.runtime.vitals import POLL, Health, nobody_came, peers_of

from .connector import Connector
from .requests import FutureTicket, RequestFuture, Ticket
from .session import OVERDUE, Session

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from redisipc.protocol.peers import Peer
    from redisipc.runtime.keywords import AnyClient, ConnectKeywords, OptionKeywords

H = TypeVar("H", bound=Callable[[Request], Content | Awaitable[Content]])
E = TypeVar("E", bound=Callable[[RedisIPCError], Awaitable[None] | None])
W = TypeVar("W", bound=Callable[[Health], Awaitable[None] | None])


@explained
class Stream(BaseStream):
    __doc__ = BaseStream.__doc__

    _session: Session | None

    @classmethod
    def from_url(
        cls,
        url: str,
        stream: str,
        group: str,
        *,
        options: Options | None = None,
        logger: logging.Logger | None = None,
        **given: Unpack[OptionKeywords],
    ) -> Self:
        """An endpoint on the Redis at ``url``; see the class for the rest."""
        return cls(stream, group, url=url, options=options, logger=logger, **given)

    # its life

    async def connect(
        self,
        *,
        url: str | None = None,
        client: AnyClient | None = None,
        redis_options: Mapping[str, Any] | None = None,
        logger: logging.Logger | None = None,
        **given: Unpack[OptionKeywords],
    ) -> Self:
        """Join the group, and return when others can find this endpoint. From then on it reconnects by itself.

        ``url``, ``client``, ``logger`` and options by name may also be arguments of the constructor. ``redis_options`` are
        arguments of redis-py's ``Redis``, ``url`` included. Raises ``ConnectionLost`` if Redis cannot be reached within
        ``connect_timeout`` or refuses the connection, ``ClosedError`` if ``disconnect()`` is called meanwhile,
        ``AlreadyConnected``, and ``ConfigurationError`` for options that cannot work.
        """
        self._forget_dead_loop()
        self._configure(url, client, redis_options, logger, given)
        try:
            connector = Connector(self._url, self._client, self._redis_options, self._stream)
        except SETTINGS_ERRORS as error:
            wrong = wrong_settings(error)
            raise wrong from wrong.__cause__
        session = self._new_session(Session, connector)
        joined = closed = False
        try:
            await session.start()
            await asyncio.wait([session.joined], timeout=self._options.connect_timeout)
            joined = session.has_joined
            lost = session.lost_error()
        except GeneratorExit:
            closed = True
            self._drop()
            raise
        finally:
            if not joined and not closed:
                session.close(0)
                await session.wait_gone(monotonic() + OVERDUE)
        if not joined:
            raise lost
        return self

    async def disconnect(self, timeout: float | None = None) -> None:
        """Leave: take no more requests, give back those that have not started, and wait for handlers and own requests.

        It waits for ``timeout`` seconds (None: the option ``close_timeout``), and may take up to one second longer. Then own
        requests and handlers that have not ended are cancelled, and the requests of these handlers are rejected (``closing``).
        Without a connection it does nothing. Called in a handler, it does not wait.
        """
        grace = self._options.close_timeout if timeout is None else check_grace("timeout", timeout)
        self._forget_dead_loop()
        session = self._session
        if session is None:
            return
        if session.forked:
            self._forget(session)
            return
        session.check_loop()
        until = monotonic() + grace + OVERDUE
        session.close(grace)
        if asyncio.current_task() not in session.tasks:
            await session.wait_gone(until)

    close = disconnect
    aclose = disconnect

    async def run(self, **given: Unpack[ConnectKeywords]) -> None:
        """Connect if necessary, and answer requests until SIGTERM, SIGINT or ``disconnect()``. Then leave properly.

        It also leaves if an exception ends it. A second SIGINT does not wait. In a thread other than the main one it
        ignores signals.
        """
        from redisipc.runtime.signals import watch  # only run() needs it

        self._forget_dead_loop()
        if self._session is not None:
            self._session.check()
        home, stop = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            stop.set()
            session = self._session
            if session is not None and session.endpoint.state is State.JOINING:
                session.close(0)

        def told() -> None:
            with contextlib.suppress(RuntimeError):  # it has ended
                home.call_soon_threadsafe(end)

        unwatch, closed = watch(told), False
        try:
            if self._session is None:
                try:
                    await self.connect(**given)
                except ClosedError:
                    # Somebody called disconnect() meanwhile.
                    return
            session = self._session
            if session is not None:
                session.gone.add_done_callback(lambda _: stop.set())
                await stop.wait()
        except GeneratorExit:
            closed = True
            self._drop()
            raise
        finally:
            unwatch()
            if not closed:
                await self.disconnect()

    async def __aenter__(self) -> Self:
        self._forget_dead_loop()
        return self if self._session is not None else await self.connect()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is GeneratorExit:
            self._drop()
        else:
            await self.disconnect()

    def _forget_dead_loop(self) -> None:
        """If its event loop has ended, the endpoint has, too. Others see it as crashed."""
        session = self._session
        if session is not None and not session.forked and session.loop.home.is_closed():
            session.lose_loop()
            self._forget(session)

    def _drop(self) -> None:
        """Leave without waiting. A coroutine that is closed cannot wait, neither can a finalizer."""
        session = self._session
        if session is None:
            return
        if session.loop.home.is_closed():
            session.lose_loop()
        else:
            session.loop.home.call_soon_threadsafe(session.close, 0)

    # handlers

    def on_request(self, handler: H) -> H:
        super().on_request(handler)
        return handler

    def on_error(self, handler: E) -> E:
        super().on_error(handler)
        return handler

    def on_state(self, handler: W) -> W:
        super().on_state(handler)
        return handler

    # asking

    async def send_to_group(self, content: Any, to: str, timeout: float | None = None) -> Response:
        """Ask the group ``to`` and wait for its ``Response``. If none comes within ``timeout`` seconds, it is a rejected one.

        After a timeout, the handler may have run or not. Raises only for misuse: ``ContentError``, ``Overloaded``,
        ``NotConnected``, ``ClosedError``, and ``ConfigurationError`` for a blank group or a timeout that is not a positive
        number.
        """
        return await self._ask(content, to, timeout)

    async def request(self, content: Any, to: str, timeout: float | None = None) -> Any:
        """Ask the group ``to`` and return its answer, within ``timeout`` seconds (None: the option ``timeout``).

        Raises ``Rejected``, ``RequestTimeout``, ``RequestCancelled``, ``RequestFailed``, and the errors of ``send_to_group``.
        """
        return (await self._ask(content, to, timeout)).result()

    def submit(self, content: Any, to: str, timeout: float | None = None) -> RequestFuture[Any]:
        """Ask the group ``to`` and return a future. Its result or exception is that of ``request``; ``timeout`` is in seconds.

        ``cancel()`` of the future deletes the request. Raises for misuse at once, as ``send_to_group`` does.
        """
        text = encode(content)
        session: Session = self._live()
        limit = session.check_send(to, self._options.timeout if timeout is None else timeout)
        request_id = session.new_id()
        ticket = FutureTicket(session)
        future: RequestFuture[Any] = RequestFuture(session, ticket, session.loop.home, request_id)
        session.send(ticket, request_id, text, to, limit)
        return future

    async def ping(self, group: str, timeout: float | None = None) -> tuple[Peer, ...]:
        """The living instances of ``group``; empty if there are none. It sends no request, and reads registrations in Redis.

        An instance that crashed counts as living for up to 30 s, a crashed gem for up to 100 s. Raises ``RequestTimeout``
        if Redis does not answer within ``timeout`` seconds (None: the option ``timeout``), ``RequestFailed`` if Redis
        refuses, and for misuse as ``send_to_group`` does.
        """
        from redisipc.protocol.peers import look_at  # nobody else pays for it

        session: Session = self._live()
        limit = session.endpoint.check_send(group, self._options.timeout if timeout is None else timeout)
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def ended(peers: Any) -> None:
            if not found.done():
                found.set_result(peers)

        session.call(lambda now: look_at(session.endpoint.shared, group, now, ended))
        await asyncio.wait([found], timeout=limit)
        return peers_of([found.result()] if found.done() else [], group, self._stream, limit)

    async def wait_for_group(self, group: str, timeout: float = 30.0) -> tuple[Peer, ...]:
        """Wait until ``group`` has a living instance, and return its living instances; see ``ping``.

        Raises ``RequestTimeout`` after ``timeout`` seconds.
        """
        until = monotonic() + check_timeout(timeout)
        while True:
            peers: tuple[Peer, ...] | None
            try:
                peers = await self.ping(group, max(POLL, until - monotonic()))
            except RequestTimeout:
                peers = None
            if peers:
                return peers
            if monotonic() + POLL >= until:
                # If Redis did not answer, this raises: who is there is not known then.
                peers_of([peers], group, self._stream, timeout)
                raise nobody_came(group, self._stream, timeout)
            await asyncio.sleep(POLL)

    async def _ask(self, content: Any, to: str, timeout: float | None) -> Response:
        text = encode(content)
        session: Session = self._live()
        limit = session.check_send(to, self._options.timeout if timeout is None else timeout)
        ticket = Ticket(session.loop.home)
        try:
            session.send(ticket, session.new_id(), text, to, limit)
            end = await ticket.future
        except BaseException:
            session.give_up(ticket)
            raise
        outgoing, outcome = end.outgoing, end.outcome
        if outgoing is None or outcome is None:
            assert end.error is not None
            raise end.error
        return response_of(outgoing, outcome, self._stream, end.at)
