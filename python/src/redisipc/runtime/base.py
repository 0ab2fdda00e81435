"""The part of a ``Stream`` that both twins share: everything that needs no waiting, and the public descriptions."""

from __future__ import annotations

import logging
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from redisipc.calls import explained
from redisipc.errors import AlreadyConnected, ConfigurationError, NotConnected
from redisipc.protocol.names import check_name

from .blocks import Blocks
from .client import check_place
from .hooks import Hook, Hooks, check_function
from .options import Options
from .request import Request
from .session import BaseSession
from .vitals import Health, Stats, health_of, stats_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .keywords import AnyClient, OptionKeywords

S = TypeVar("S", bound=BaseSession)
_ONE = "session"
Content = Mapping[str, Any] | Sequence[Any] | str | int | float | None
"""A value that can be JSON, for type checkers. At run time ``encode`` decides."""


@explained
class BaseStream(Blocks):
    """One endpoint: an instance of ``group`` on the Redis stream ``stream``. Create it, register handlers, connect.

    Endpoints that exchange requests use the same stream. Each program has its own group. Several processes may share a
    group, and each request to it goes to one of them.

    The first of these that is given says where Redis is: ``client``, ``url`` (``redis://``, ``rediss://``,
    ``unix://``), the environment variable ``REDIS_URL``. If none is given, it is ``redis://localhost:6379``. ``client`` is
    any redis-py client of the same kind (sync or asyncio), also of a Sentinel master or of a cluster. Only its settings are
    used. Give options as an ``Options`` object, by name, or both; see ``Options``. The gem's names
    (``ledger={"entry_timeout": 5}``) work, too.
    """

    def __init__(
        self,
        stream: str,
        group: str,
        *,
        url: str | None = None,
        client: AnyClient | None = None,
        options: Options | None = None,
        logger: logging.Logger | None = None,
        **given: Unpack[OptionKeywords],
    ) -> None:
        self._stream = check_name("stream", stream)
        self._group = check_name("group", group)
        self._url, self._client = url, client
        self._redis_options: dict[str, Any] = {}
        if options is not None and not isinstance(options, Options):
            raise ConfigurationError(
                f"options takes an Options object, got {type(options).__name__}; give its parts by name"
            )
        self._options = (options or Options()).replace(**given)
        check_place(url, None, None)
        _check_logger(logger)
        self._logger = logger
        self._hooks = Hooks()
        # One at most. Operations of a dict are atomic, so of several threads that connect at once one alone succeeds.
        self._sessions: dict[str, Any] = {}

    @property
    def _session(self) -> Any:
        return self._sessions.get(_ONE)

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
        session: BaseSession | None = self._session
        return session.instance if session is not None else None

    @property
    def options(self) -> Options:
        """The options that this endpoint uses."""
        return self._options

    @property
    def connected(self) -> bool:
        """Whether this endpoint has joined its group, is registered there, and can reach Redis."""
        session: BaseSession | None = self._session
        return session is not None and session.connected

    @property
    def outstanding(self) -> int:
        """How many own requests have no outcome yet."""
        session = self._session
        return len(session.waiting) if session is not None and not session.cut_off else 0

    def stats(self) -> Stats:
        """Numbers about this connection; see ``Stats``. It never waits, and may be called from any thread."""
        session = self._session
        return stats_of(session, self.outstanding) if session is not None and not session.cut_off else Stats()

    def health(self) -> Health:
        """Whether this endpoint can work; see ``Health``. It never waits, and may be called from any thread."""
        session = self._session
        return health_of(session) if session is not None else Health("not connected")

    def __repr__(self) -> str:
        session: BaseSession | None = self._session
        if session is not None:
            return repr(session)
        return f"<{self._twin()} Stream {self._stream!r} group {self._group!r} not connected>"

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r} cannot be copied or pickled: it has connections; make another Stream with its names")

    def __del__(self) -> None:
        session: BaseSession | None = getattr(self, "_sessions", {}).get(_ONE)
        if session is None or session.forked or session.ended:
            return
        if session.leaves and not session.cut_off:
            # disconnect() was called where it must not wait, in a callback for example. It takes the time it was given.
            return
        warnings.warn(
            f"{self!r} was dropped while it was connected; keep it as long as it serves, then call disconnect()",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
        self._drop()

    # handlers

    def on_request(self, handler: Any) -> Any:
        """Register the function that is called with each ``Request`` sent to this group; a decorator, too.

        The value that the function returns fulfils the request. An exception rejects it, and the option ``expose_errors``
        decides what the requester sees of the exception. With ``Reject``, the handler chooses the content of the rejection.
        Without a handler, requests go to other instances of the group that have one. If there are none, they are rejected.
        Each call sees the context variables of the registration.
        A Stream has one handler. A second one raises ``ConfigurationError``, but the same function may be defined again.
        """
        self._check_callable("on_request", handler, "the Request")
        before = self._hooks.on_request
        if before is not None and _name(before.function) != _name(handler):
            raise ConfigurationError(
                f"on_request is set already, to {_name(before.function)}; a Stream has one handler. Let it look at the "
                "content, use a Channel with its events, or a Stream with a group of its own"
            )
        self._hooks.on_request = Hook(handler)
        session: BaseSession | None = self._session
        if session is not None and not session.forked:
            session.serve()
        return handler

    def on_error(self, handler: Any) -> Any:
        """Register the function for problems that belong to no call; a decorator, too. Without it, they are logged.

        It gets an error with a ``kind``. An ``EntryError`` is for a malformed entry (raw ``fields``), a ``HandlerError`` for
        a handler that raised (``__cause__``), a ``ConnectionLost`` for each loss. All others are a ``ReportedError``.
        Each call sees the context variables of the registration.
        """
        self._check_callable("on_error", handler, "the error")
        self._hooks.on_error = Hook(handler)
        return handler

    def on_state(self, handler: Any) -> Any:
        """Register the function that is called with a ``Health`` when the connection changes; a decorator, too.

        Its ``state`` is ``"joining"``, ``"up"``, ``"down"``, ``"closing"`` or ``"not connected"``, and its ``reason`` says why.
        The calls come in order. Each change comes once, however often the endpoint tries to connect. An exception of the
        function goes to ``on_error``. Each call sees the context variables of the registration.
        """
        self._check_callable("on_state", handler, "the Health")
        self._hooks.on_state = Hook(handler)
        return handler

    # answers: written now or soon, without waiting

    def fulfill_request(self, request: Request, content: Any = None) -> None:
        """Answer ``request`` with ``content``. Raises ``AlreadyAnswered``, ``ContentError``, ``NotConnected``."""
        _check_request("fulfill_request", request).fulfill(content)

    def reject_request(
        self, request: Request, content: Any = None, *, code: str | None = None, data: Any = None
    ) -> None:
        """Reject ``request`` with ``content`` as the reason; ``code`` and ``data`` as in ``Reject``.

        Raises ``AlreadyAnswered``, ``ContentError``, ``NotConnected``.
        """
        _check_request("reject_request", request).reject(content, code=code, data=data)

    # for the twins

    def _configure(
        self,
        url: str | None,
        client: Any,
        redis_options: Mapping[str, Any] | None,
        logger: logging.Logger | None,
        given: OptionKeywords,
    ) -> None:
        """Store the arguments of ``connect``; a later ``connect`` uses them, too."""
        session: BaseSession | None = self._session
        if session is not None:
            session.check()
            raise self._connected_already()
        self._options = self._options.replace(**given)
        check_place(url, None, redis_options)
        _check_logger(logger)
        if redis_options is not None:
            self._redis_options = dict(redis_options)
            url = self._redis_options.pop("url", None) or url
        if url is not None:
            self._url, self._client = url, None
        if client is not None:
            self._client = client
        check_place(self._url, self._client, self._redis_options)
        self._logger = logger or self._logger

    def _new_session(self, kind: Callable[..., S], connector: Any) -> S:
        """Make the session. It holds no reference to the Stream, so a Stream that the program drops is noticed."""
        stream = weakref.ref(self)

        def left(session: BaseSession) -> None:
            owner = stream()
            if owner is not None:
                owner._forget(session)

        made = kind(connector, self._twin(), left, self._stream, self._group, self._options, self._hooks, self._logger)
        if self._sessions.setdefault(_ONE, made) is not made:
            self._unused(made)
            raise self._connected_already()
        return made

    def _forget(self, session: BaseSession | None) -> None:
        """It is not the session of this Stream any longer."""
        if session is not None and self._session is session:
            self._sessions.pop(_ONE, None)

    def _connected_already(self) -> AlreadyConnected:
        return AlreadyConnected(f"{self!r} is connected already; call disconnect() first, or make another Stream")

    def _twin(self) -> str:
        return type(self).__module__.split(".")[2]

    def _live(self) -> Any:
        """Return the session, or raise the error that says why there is none."""
        session: BaseSession | None = self._session
        if session is None:
            raise NotConnected(f"{self!r} is not connected; call connect() first, or use it as a context manager")
        session.check()
        return session

    def _unused(self, session: Any) -> None:
        """Another thread connected at the same moment: this session never begins."""

    def _drop(self) -> None:
        """The Stream was dropped: let its session leave, without waiting."""
        raise NotImplementedError

    def _check_callable(self, what: str, handler: Any, argument: str) -> None:
        check_function(what, handler, argument)

    # Its errors name the class that the user sees.
    __init__.__qualname__ = "Stream.__init__"


def _check_request(what: str, request: Any) -> Request:
    if not isinstance(request, Request):
        raise ConfigurationError(f"{what} takes the Request that the handler was given, got {type(request).__name__}")
    return request


def _check_logger(logger: Any) -> None:
    if logger is None:
        return
    if isinstance(logger, type):
        kind = f"the class {logger.__name__}"
    elif lacks := [name for name in ("log", "isEnabledFor") if not callable(getattr(logger, name, None))]:
        kind = type(logger).__name__
        if len(lacks) == 1:
            kind = f"{kind}, which lacks {lacks[0]}()"
    else:
        return
    raise ConfigurationError(f"logger must be a logging.Logger, got {kind}; for a name, give logging.getLogger(name)")


def _name(function: Any) -> str:
    """Where a function was defined. A function that is defined again is at the same place."""
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"{kind.__module__}.{kind.__qualname__}"
