"""What both twins share of a ``Stream``: everything that needs no waiting, and the public descriptions."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from redisipc.errors import (
    AlreadyConnected,
    ClosedError,
    ConfigurationError,
    ConnectionLost,
    ContentError,
    ForkedError,
    HandlerError,
    NotConnected,
    RedisIPCError,
    Reject,
)
from redisipc.protocol.content import encode
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.events import Incoming, Outcome, Outgoing, State
from redisipc.protocol.names import check_name

from .driver import Driver
from .fork import watch
from .options import Options
from .refusals import hint
from .request import Request
from .response import Response, response_of

Handler = Callable[[Request], Any]
ErrorHandler = Callable[[RedisIPCError], Any]
H = TypeVar("H", bound=Handler)
E = TypeVar("E", bound=ErrorHandler)

logger = logging.getLogger("redisipc")
# Silent until the program says where logs go.
logger.addHandler(logging.NullHandler())


class BaseStream:
    """One endpoint: an instance of ``group`` on the Redis stream ``stream``. Make it, register handlers, connect.

    All endpoints that are to reach each other use one stream. Each program has its own group; several processes may
    share a group, and each request to it goes to one of them.

    Where Redis is, in this order: ``client``, any redis-py client of the same kind (sync or asyncio), a Sentinel master
    and a cluster included, of which only the settings are used; ``url`` (``redis://``, ``rediss://``, ``unix://``); the
    environment's ``REDIS_URL``; ``redis://localhost:6379``. Options come as an ``Options`` object, by name, or both;
    see ``Options``. The gem's names (``ledger={"entry_timeout": 5}``) are understood.
    """

    def __init__(
        self,
        stream: str,
        group: str,
        *,
        url: str | None = None,
        client: Any = None,
        options: Options | None = None,
        logger: logging.Logger | None = None,
        **given: Any,
    ) -> None:
        self._stream = check_name("stream", stream)
        self._group = check_name("group", group)
        self._url, self._client = url, client
        self._redis_options: dict[str, Any] = {}
        if options is not None and not isinstance(options, Options):
            raise ConfigurationError(
                f"options takes an Options object, got {type(options).__name__}; give its parts by name"
            )
        self._options = (options or Options()).with_(given)
        self._logger = logger
        self._on_request: Handler | None = None
        self._on_error: ErrorHandler | None = None
        self._core: Endpoint | None = None
        self._driver: Driver
        self._forked = False
        self._reason = ""
        self._permanent = False
        self._last_instance: str | None = None
        watch(self)

    # what it is

    @property
    def stream(self) -> str:
        """The name of the Redis stream."""
        return self._stream

    @property
    def group(self) -> str:
        """The group that this endpoint belongs to."""
        return self._group

    @property
    def instance(self) -> str | None:
        """The id of this instance, 6 hex characters; None before it is connected."""
        return self._core.instance if self._core is not None and self._core.state is not State.JOINING else None

    @property
    def options(self) -> Options:
        """The options in force."""
        return self._options

    @property
    def connected(self) -> bool:
        """Whether it is joined and registered, and Redis can be reached."""
        return self._core is not None and self._core.state is State.UP and not self._forked

    @property
    def outstanding(self) -> int:
        """Requests sent that have no outcome yet."""
        return self._core.outstanding if self._core is not None else 0

    def __repr__(self) -> str:
        state = self._core.state.value if self._core is not None else "not connected"
        return f"<{type(self).__module__.split('.')[2]} Stream {self._stream!r} group {self._group!r} {state}>"

    # handlers

    def on_request(self, handler: H) -> H:
        """Register what is called with each ``Request`` sent to this group; a decorator, too.

        What it returns fulfils the request, an exception rejects it with its message, ``Reject`` with content of its
        choice. Without a handler, requests are rejected.
        """
        self._on_request = _callable("on_request", handler)
        return handler

    def on_error(self, handler: E) -> E:
        """Register what is told of trouble that belongs to no call; a decorator, too. Without it, trouble is logged.

        It gets an error with a ``kind``: ``EntryError`` for an entry that is none (raw ``fields``), ``HandlerError``
        for a handler that raised (``__cause__``), ``ConnectionLost`` once per loss, and others as ``ReportedError``.
        """
        self._on_error = _callable("on_error", handler)
        return handler

    # answers; they are written at once or soon, nobody waits for that

    def fulfill_request(self, request: Request, content: Any = None) -> None:
        """Answer ``request`` with ``content``. Raises ``AlreadyAnswered``, ``ContentError``, ``NotConnected``."""
        self._answer(request._incoming, "fulfilled", encode(content))

    def reject_request(self, request: Request, content: Any = None) -> None:
        """Reject ``request`` with ``content`` as the reason.

        Raises ``AlreadyAnswered``, ``ContentError``, ``NotConnected``.
        """
        self._answer(request._incoming, "rejected", encode(content))

    def _answer(self, incoming: Incoming, status: str, text: bytes) -> None:
        raise NotImplementedError

    def _forget(self, incoming: Incoming) -> None:
        raise NotImplementedError

    # for the twins

    def _configure(
        self,
        url: str | None,
        client: Any,
        redis_options: Mapping[str, Any] | None,
        logger: logging.Logger | None,
        given: Mapping[str, Any],
    ) -> None:
        """Take in what ``connect`` was given; it stays for a later ``connect``."""
        self._check_fork()
        if self._core is not None:
            raise AlreadyConnected(f"{self!r} is connected already; call disconnect() first, or make another Stream")
        self._options = self._options.with_(given)
        if redis_options is not None:
            self._redis_options = dict(redis_options)
            url = self._redis_options.pop("url", None) or url
        if url is not None:
            self._url, self._client = url, None
        if client is not None:
            self._client = client
        if self._url == "":
            raise ConfigurationError("the url is empty; leave it out for REDIS_URL or redis://localhost:6379")
        if self._client is not None and self._url is not None:
            raise ConfigurationError("give a url or a client, not both")
        self._logger = logger or self._logger

    def _make_core(self) -> Endpoint:
        self._reason, self._permanent, self._last_instance = "", False, None
        return Endpoint(self._options.settings(self._stream, self._group), random.Random())

    def _live(self) -> Endpoint:
        """The core, or the error that says why there is none to speak to."""
        if self._forked:
            self._check_fork()
        if self._core is None:
            raise NotConnected(f"{self!r} is not connected; call connect() first, or use it as a context manager")
        return self._core

    def _check_fork(self) -> None:
        if self._forked:
            raise ForkedError(
                f"{self!r} was connected before this process was forked; connections and threads do not come along: "
                "make and connect a Stream in the child"
            )

    def _after_fork(self) -> None:
        """In the child: the sockets are the parent's, nothing is touched."""
        if self._core is not None:
            self._forked = True

    def _lost_error(self, core: Endpoint) -> ConnectionLost | ClosedError:
        if core.state in (State.CLOSING, State.CLOSED):
            return ClosedError(f"{self!r} was closed while it connected")
        if self._permanent:
            return ConnectionLost(f"Redis refuses this endpoint: {self._reason}{hint(self._reason)}")
        limit = self._options.connect_timeout
        return ConnectionLost(
            f"no working connection to Redis within {limit:g} s: {self._reason or 'no answer'}; "
            "is it running, and is it the one that url=, client= or REDIS_URL names?"
        )

    def _response(self, outgoing: Outgoing, outcome: Outcome) -> Response:
        return response_of(outgoing, outcome, self._stream, time.monotonic())

    # what became of a handler

    def _fulfilment(self, request: Request, value: Any) -> tuple[str, bytes]:
        """Status and text for what a handler returned."""
        try:
            return "fulfilled", encode(value)
        except ContentError as error:
            return self._rejection(request, error, "the handler's result cannot be sent")

    def _rejection(self, request: Request, error: BaseException, what: str = "") -> tuple[str, bytes]:
        """Status and text for what a handler raised."""
        if isinstance(error, Reject):
            try:
                return "rejected", encode(error.content)
            except ContentError as inner:
                return self._rejection(request, inner, "the content of Reject cannot be sent")
        try:
            message = str(error)
        except Exception:
            message = ""
        if not message.strip():
            # RIPC-RESP-8: a reason is never empty.
            message = type(error).__name__
        if what:
            message = f"{what}: {message}"
        report = HandlerError(
            f"the handler of {request!r} raised {type(error).__name__}: {message}",
            entry_id=request._incoming.entry_id.decode(),
        )
        report.__cause__ = error
        self._report(report)
        return "rejected", encode(message.encode("utf-8", "replace").decode())

    def _no_handler(self, request: Request) -> None:
        raise Reject(f"Group {self._group!r} takes no requests: it has no on_request handler")

    # telling

    def _report(self, error: RedisIPCError) -> None:
        """Hand an error to ``on_error``, outside of any lock."""
        raise NotImplementedError

    def _tell(self, error: RedisIPCError) -> Any:
        """Call ``on_error``, or log where there is none. Returns what the handler returned."""
        handler = self._on_error
        if handler is None:
            self._log(logging.ERROR, str(error), cause=error.__cause__)
            return None
        try:
            return handler(error)
        except Exception as raised:
            self._log(logging.ERROR, f"on_error raised {raised!r} for: {error}", cause=raised)
            return None

    def _log(self, level: int, text: str, cause: BaseException | None = None) -> None:
        instance = self.instance or self._last_instance
        about = {"redisipc_stream": self._stream, "redisipc_group": self._group, "redisipc_instance": instance}
        log = self._logger or logger
        log.log(level, "<%s:%s:%s> %s", self._stream, self._group, instance or "-", text, exc_info=cause, extra=about)

    def _note(self, level: int, text: str) -> None:
        """Log from within the driver."""
        self._log(level, text)


def _callable(what: str, handler: Any) -> Any:
    if not callable(handler):
        raise ConfigurationError(f"{what} takes a function, got {type(handler).__name__}")
    return handler
