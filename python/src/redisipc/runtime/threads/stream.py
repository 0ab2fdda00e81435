"""``Stream`` for threads: every call may come from any thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from redisipc.calls import explained
from redisipc.errors import ClosedError, ConfigurationError, RedisIPCError, RequestTimeout
from redisipc.protocol.content import encode
from redisipc.protocol.events import State
from redisipc.protocol.settings import check_grace, check_timeout
from redisipc.runtime.base import BaseStream, Content
from redisipc.runtime.client import SETTINGS_ERRORS, wrong_settings
from redisipc.runtime.hooks import is_async
from redisipc.runtime.options import Options
from redisipc.runtime.request import Request
from redisipc.runtime.response import Response
from redisipc.runtime.vitals import POLL, Health, nobody_came, peers_of

from .connector import Connector
from .requests import End, RequestFuture, Ticket, wait_any
from .session import OVERDUE, Session

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from redisipc.protocol.peers import Peer
    from redisipc.runtime.keywords import AnyClient, ConnectKeywords, OptionKeywords

H = TypeVar("H", bound=Callable[[Request], Content])
E = TypeVar("E", bound=Callable[[RedisIPCError], None])
W = TypeVar("W", bound=Callable[[Health], None])


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

    def connect(
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
        self._configure(url, client, redis_options, logger, given)
        try:
            connector = Connector(self._url, self._client, self._redis_options, self._stream)
        except SETTINGS_ERRORS as error:
            wrong = wrong_settings(error)
            raise wrong from wrong.__cause__
        session = self._new_session(Session, connector)
        try:
            session.start()
            session.joined.wait(monotonic() + self._options.connect_timeout)
            if session.has_joined:
                return self
            lost = session.lost_error()
            session.close(0)
            session.wait_gone(monotonic() + OVERDUE)
        except BaseException:
            # No thread, or a signal handler raised: nothing is left behind.
            self._forget(session)
            session.close(0)
            session.unstarted()
            raise
        raise lost

    def disconnect(self, timeout: float | None = None) -> None:
        """Leave: take no more requests, give back those that have not started, and wait for handlers and own requests.

        It waits for ``timeout`` seconds (None: the option ``close_timeout``), and may take up to one second longer. Then own
        requests that have not ended are cancelled. Requests whose handlers still run are rejected (``closing``), and these
        handlers are notified. Without a connection it does nothing. Called in a handler, it does not wait.
        """
        grace = self._options.close_timeout if timeout is None else check_grace("timeout", timeout)
        session = self._session
        if session is None:
            return
        if session.forked:
            self._forget(session)
            return
        until = monotonic() + grace + OVERDUE
        session.close(grace)
        if not session.inside:
            session.wait_gone(until)

    close = disconnect

    def run(self, **given: Unpack[ConnectKeywords]) -> None:
        """Connect if necessary, and answer requests until SIGTERM, SIGINT or ``disconnect()``. Then leave properly.

        It also leaves if an exception ends it. A second SIGINT does not wait. In a thread other than the main one it
        ignores signals.
        """
        from redisipc.runtime.signals import watch  # only run() needs it

        if self._session is not None:
            self._session.check()
        stop = Ticket()

        def end() -> None:
            stop.settle(End())
            session = self._session
            if session is not None and session.endpoint.state is State.JOINING:
                session.close(0)

        unwatch = watch(end)
        try:
            if self._session is None and stop.end is None:
                try:
                    self.connect(**given)
                except ClosedError:
                    # Somebody called disconnect() meanwhile.
                    return
            session = self._session
            if session is not None:
                wait_any(stop, session.gone)
        finally:
            unwatch()
            self.disconnect()

    def __enter__(self) -> Self:
        return self if self._session is not None else self.connect()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.disconnect()

    def _unused(self, session: Session) -> None:
        session.unused()

    def _drop(self) -> None:
        session = self._session
        if session is not None:
            session.close(0)

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

    def send_to_group(self, content: Any, to: str, timeout: float | None = None) -> Response:
        """Ask the group ``to`` and wait for its ``Response``. If none comes within ``timeout`` seconds, it is a rejected one.

        After a timeout, the handler may have run or not. Raises only for misuse: ``ContentError``, ``Overloaded``,
        ``NotConnected``, ``ClosedError``, and ``ConfigurationError`` for a blank group or a timeout that is not a positive
        number.
        """
        return self._ask(content, to, timeout)

    def request(self, content: Any, to: str, timeout: float | None = None) -> Any:
        """Ask the group ``to`` and return its answer, within ``timeout`` seconds (None: the option ``timeout``).

        Raises ``Rejected``, ``RequestTimeout``, ``RequestCancelled``, ``RequestFailed``, and the errors of ``send_to_group``.
        """
        return self._ask(content, to, timeout).result()

    def submit(self, content: Any, to: str, timeout: float | None = None) -> RequestFuture[Any]:
        """Ask the group ``to`` and return a future. Its result or exception is that of ``request``; ``timeout`` is in seconds.

        ``cancel()`` of the future deletes the request. Raises for misuse at once, as ``send_to_group`` does.
        """
        text = encode(content)
        session: Session = self._live()
        limit = session.check_send(to, self._options.timeout if timeout is None else timeout)
        now, request_id = monotonic(), session.new_id()
        ticket = Ticket()
        future: RequestFuture[Any] = RequestFuture(session, ticket, request_id, now + limit + OVERDUE)
        try:
            session.send(ticket, request_id, text, to, limit, now)
        except BaseException:
            session.give_up(ticket)
            raise
        return future

    def ping(self, group: str, timeout: float | None = None) -> tuple[Peer, ...]:
        """The living instances of ``group``; empty if there are none. It sends no request, and reads registrations in Redis.

        An instance that crashed counts as living for up to 30 s, a crashed gem for up to 100 s. Raises ``RequestTimeout``
        if Redis does not answer within ``timeout`` seconds (None: the option ``timeout``), ``RequestFailed`` if Redis
        refuses, and for misuse as ``send_to_group`` does.
        """
        from redisipc.protocol.peers import look_at  # nobody else pays for it

        session: Session = self._live()
        session.check_wait()
        limit = session.endpoint.check_send(group, self._options.timeout if timeout is None else timeout)
        ticket, found = Ticket(), list[Any]()

        def ended(peers: Any) -> None:
            found.append(peers)
            ticket.settle(End())

        session.call(lambda now: look_at(session.endpoint.shared, group, now, ended))
        ticket.wait(monotonic() + limit)
        return peers_of(found, group, self._stream, limit)

    def wait_for_group(self, group: str, timeout: float = 30.0) -> tuple[Peer, ...]:
        """Wait until ``group`` has a living instance, and return its living instances; see ``ping``.

        Raises ``RequestTimeout`` after ``timeout`` seconds.
        """
        until = monotonic() + check_timeout(timeout)
        while True:
            peers: tuple[Peer, ...] | None
            try:
                peers = self.ping(group, max(POLL, until - monotonic()))
            except RequestTimeout:
                peers = None
            if peers:
                return peers
            if monotonic() + POLL >= until:
                # If Redis did not answer, this raises: who is there is not known then.
                peers_of([peers], group, self._stream, timeout)
                raise nobody_came(group, self._stream, timeout)
            session: Session = self._live()
            session.gone.wait(monotonic() + POLL)

    def _ask(self, content: Any, to: str, timeout: float | None) -> Response:
        text = encode(content)
        session: Session = self._live()
        session.check_wait()
        limit = session.check_send(to, self._options.timeout if timeout is None else timeout)
        ticket, now = Ticket(), monotonic()
        try:
            session.send(ticket, session.new_id(), text, to, limit, now)
            end = session.wait(ticket, now + limit + OVERDUE)
        except BaseException:
            # Ctrl-C: nobody waits for it any longer.
            session.give_up(ticket)
            raise
        if end.error is not None:
            raise end.error
        return session.response_of(end)

    # answering

    def _check_callable(self, what: str, handler: Any, argument: str) -> None:
        super()._check_callable(what, handler, argument)
        if is_async(handler):
            raise ConfigurationError(f"{what} takes a plain function here; async handlers need redisipc.asyncio.Stream")
