"""``Channel`` for threads."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from redisipc.calls import explained
from redisipc.errors import ConfigurationError
from redisipc.runtime.options import Options
from redisipc.runtime.response import Response
from redisipc.runtime.threads.requests import RequestFuture
from redisipc.runtime.threads.stream import E, Stream, W

from .base import BaseChannel, ReasonedStream
from .dispatch import content_of

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from redisipc.runtime.keywords import ConnectKeywords


class Endpoint(ReasonedStream, Stream):
    """The ``Stream`` of a channel."""

    def connect(self, **given: Any) -> Self:
        super().connect(**given)
        self.joined = True
        return self


@explained
class Channel(BaseChannel[Endpoint]):
    __doc__ = BaseChannel.__doc__

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for event in cls.events.values():
            if inspect.iscoroutinefunction(getattr(cls, event.method)):
                raise ConfigurationError(f"{cls.__name__}.{event.method} is async; that needs redisipc.asyncio.Channel")

    @classmethod
    def connect(cls, *, options: Options | None = None, **given: Unpack[ConnectKeywords]) -> None:
        """Connect the class. It takes the arguments of ``Stream.connect``, and ``options``.

        Raises ``AlreadyConnected``, and the errors of ``Stream.connect``.
        """
        endpoint = cls._make_endpoint(Endpoint, options)
        try:
            endpoint.connect(**given)
        except BaseException:
            cls._forget(endpoint)
            raise

    @classmethod
    def disconnect(cls, timeout: float | None = None) -> None:
        """Leave; see ``Stream.disconnect``."""
        endpoint: Endpoint | None = cls._endpoint
        cls._forget(endpoint)
        if endpoint is not None:
            endpoint.disconnect(timeout)

    close = disconnect

    @classmethod
    def run(cls, *, options: Options | None = None, **given: Unpack[ConnectKeywords]) -> None:
        """Connect if necessary, and answer requests until SIGTERM, SIGINT or ``disconnect()``; see ``Stream.run``."""
        if not cls._stands():
            cls._make_endpoint(Endpoint, options)
        endpoint = cls._connected_endpoint()
        try:
            # It connects by itself, so that a signal meanwhile is its matter as well.
            endpoint.run(**given)
        finally:
            cls._forget(endpoint)

    @classmethod
    def on_error(cls, handler: E) -> E:
        super().on_error(handler)
        return handler

    @classmethod
    def on_state(cls, handler: W) -> W:
        super().on_state(handler)
        return handler

    @classmethod
    def trigger_event(
        cls, name: str, target: str, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> Response:
        """Trigger an event of the channel ``target`` and wait for its ``Response``; see ``Stream.send_to_group``.

        A ``timeout`` is sent with the request, so that the event knows its ``entry.time_left``.
        """
        return cls._connected_endpoint().send_to_group(content_of(name, params, timeout), target, timeout)

    @classmethod
    def submit_event(
        cls, name: str, target: str, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> RequestFuture[Any]:
        """Trigger an event and return a future of its value; see ``Stream.submit``."""
        return cls._connected_endpoint().submit(content_of(name, params, timeout), target, timeout)
