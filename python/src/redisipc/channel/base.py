"""The base of both ``Channel`` classes: the events, the connected endpoint, and what an event sees as ``self``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from redisipc.calls import explained_methods
from redisipc.errors import AlreadyConnected, ConfigurationError, NotConnected, Reject
from redisipc.protocol.content import decode
from redisipc.runtime.base import BaseStream
from redisipc.runtime.hooks import Hook
from redisipc.runtime.options import Options
from redisipc.runtime.request import Request
from redisipc.runtime.session import BaseSession

from .definition import EventDefinition, events_of
from .dispatch import Call, dispatch

T = TypeVar("T")
S = TypeVar("S", bound="ReasonedStream")
_ONE = "endpoint"


class ReasonedStream(BaseStream):
    """A ``Stream`` with its own text for rejecting a request that nothing here runs.

    ``joined``: whether its ``connect()`` succeeded.
    """

    joined: bool = False

    @property
    def over(self) -> bool:
        """Whether its connection has ended by itself: with its event loop, or because this process is a forked child."""
        session: BaseSession | None = self._session
        return self.joined and (session is None or session.forked)

    def on_error_as(self, hook: Hook) -> None:
        """``on_error``, with the context variables of an earlier registration."""
        self._check_callable("on_error", hook.function, "the error")
        self._hooks.on_error = hook

    def on_state_as(self, hook: Hook) -> None:
        """``on_state``, with the context variables of an earlier registration."""
        self._check_callable("on_state", hook.function, "the Health")
        self._hooks.on_state = hook

    def reject_unserved_with(self, reason: Callable[[bytes], str]) -> None:
        """Set ``reason``: it returns, for a content, why it is rejected if no instance of the group has a handler."""
        self._hooks.unserved_reason = reason


class ClassProperty(Generic[T]):
    """A property of the class itself."""

    def __init__(self, get: Callable[[Any], T]) -> None:
        self._get = get
        self.__doc__ = get.__doc__

    def __get__(self, instance: object, owner: type) -> T:
        return self._get(owner)


@explained_methods
class BaseChannel(Generic[S]):
    """A set of named events that other programs on the stream can trigger. Subclass it, set ``stream`` and ``channel``,
    decorate methods with ``@event``, and call ``connect``.

    ``stream`` is the name of the Redis stream, and ``channel`` (or ``group``) the name of this endpoint's group. Subclasses
    inherit both, the events and ``on_error``. ``connect`` connects the class itself. Each call of an event has its own
    object:

    - ``self.entry``: the ``Request``
    - ``self.source_group``: the group that triggered the event
    - ``self.params``: the declared parameters that the request contains
    - ``self.instance_id``: the id of this instance
    - ``self.stream_name`` and ``self.group_name``: the names of the stream and of this channel's group
    """

    stream: ClassVar[str] = ""
    channel: ClassVar[str] = ""
    group: ClassVar[str] = ""
    events: ClassVar[dict[str, EventDefinition]] = {}

    entry: Request
    params: dict[str, Any]

    _endpoints: ClassVar[dict[str, Any]] = {}
    """Of this class, one at most. Operations of a dict are atomic: of several threads that connect one alone succeeds."""
    _on_error: ClassVar[Hook | None] = None
    _on_state: ClassVar[Hook | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = vars(cls)
        if "channel" in own and "group" in own and own["channel"] != own["group"]:
            raise ConfigurationError(f"{cls.__name__}: channel and group are two words for one name; set one of them")
        if "channel" in own:
            cls.group = own["channel"]
        elif "group" in own:
            cls.channel = own["group"]
        cls.events = events_of(cls)
        cls._endpoints = {}

    if not TYPE_CHECKING:
        # Type checkers see a constructor without parameters. Each call of an event makes an object.
        def __init__(self, *given: Any, **named: Any) -> None:
            if given or named:
                raise ConfigurationError(
                    f"{type(self).__name__} takes no arguments: a channel is a class. Write class Stock(Channel): with "
                    'stream = "..." and channel = "..." in it, then Stock.connect()'
                )

    # inside an event

    @property
    def source_group(self) -> str:
        """The group that triggered the event."""
        return self.entry.source_group

    @property
    def instance_id(self) -> str:
        """The id of this instance."""
        return type(self)._connected_endpoint().instance or ""

    @property
    def stream_name(self) -> str:
        """The name of the Redis stream."""
        return self.stream

    @property
    def group_name(self) -> str:
        """The group of this channel."""
        return self.group

    # of the class

    @ClassProperty
    def _endpoint(cls) -> Any:
        return cls._endpoints.get(_ONE)

    @ClassProperty
    def connected(cls) -> bool:
        """Whether the channel has joined its group, is registered there, and can reach Redis."""
        return cls._endpoint is not None and cls._endpoint.connected

    @ClassProperty
    def instance(cls) -> str | None:
        """The id of the connected instance, 6 hex characters; None before it is connected."""
        return cls._endpoint.instance if cls._endpoint is not None else None

    @classmethod
    def on_error(cls, handler: Any) -> Any:
        """Register the handler of errors that belong to no call; see ``Stream.on_error``. Subclasses inherit it."""
        cls._on_error = Hook(handler)
        if cls._endpoint is not None:
            cls._endpoint.on_error_as(cls._on_error)
        return handler

    @classmethod
    def on_state(cls, handler: Any) -> Any:
        """Register the function that is called when the connection changes; see ``Stream.on_state``. Subclasses inherit it."""
        cls._on_state = Hook(handler)
        if cls._endpoint is not None:
            cls._endpoint.on_state_as(cls._on_state)
        return handler

    @classmethod
    def _stands(cls) -> bool:
        """Whether it is connected or connecting. An endpoint that has ended by itself is forgotten."""
        endpoint: ReasonedStream | None = cls._endpoint
        if endpoint is not None and endpoint.over:
            cls._forget(endpoint)
        return cls._endpoint is not None

    @classmethod
    def _forget(cls, endpoint: ReasonedStream | None) -> None:
        """It is not the endpoint of this channel any longer."""
        if endpoint is not None and cls._endpoint is endpoint:
            cls._endpoints.pop(_ONE, None)

    @classmethod
    def _make_endpoint(cls, kind: type[S], options: Options | None) -> S:
        if cls._stands():
            raise cls._connected_already()
        if not cls.stream or not cls.group:
            raise ConfigurationError(f'{cls.__name__} needs names: stream = "..." and channel = "..." in the class')
        endpoint = kind(cls.stream, cls.group, options=options)
        if cls.events:
            endpoint.on_request(cls._handle)
        else:
            # RIPC-GROUP-35: what has nothing to run leaves requests to siblings.
            endpoint.reject_unserved_with(cls._unserved_reason)
        if cls._on_error is not None:
            endpoint.on_error_as(cls._on_error)
        if cls._on_state is not None:
            endpoint.on_state_as(cls._on_state)
        if cls._endpoints.setdefault(_ONE, endpoint) is not endpoint:
            # Another thread connected it meanwhile.
            raise cls._connected_already()
        return endpoint

    @classmethod
    def _connected_already(cls) -> AlreadyConnected:
        return AlreadyConnected(f"{cls.__name__} is connected already; call {cls.__name__}.disconnect() first")

    @classmethod
    def _connected_endpoint(cls) -> S:
        endpoint: S | None = cls._endpoint
        if endpoint is None:
            raise NotConnected(f"{cls.__name__} is not connected; call {cls.__name__}.connect() first")
        return endpoint

    @staticmethod
    def _unserved_reason(content: bytes) -> str:
        """Why a channel without events rejects a request (RIPC-CHAN-11, RIPC-CHAN-12)."""
        try:
            dispatch({}, decode(content))
        except Reject as reject:
            return str(reject.content)
        raise AssertionError("a channel without events ran one")

    @classmethod
    def _handle(cls, request: Request) -> Any:
        call: Call = dispatch(cls.events, request.content)
        self = cls()
        self.entry = request
        self.params = call.params
        return getattr(self, call.event.method)(**call.arguments)
