"""``Channel`` for asyncio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from redisipc.calls import explained
from redisipc.runtime.asyncio.requests import RequestFuture
from redisipc.runtime.asyncio.stream import E, Stream, W
from redisipc.runtime.options import Options
from redisipc.runtime.response import Response

from .base import BaseChannel, ReasonedStream
from .dispatch import content_of

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from redisipc.runtime.keywords import ConnectKeywords


class Endpoint(ReasonedStream, Stream):
    """The ``Stream`` of a channel."""

    async def connect(self, **given: Any) -> Self:
        await super().connect(**given)
        self.joined = True
        return self

    @property
    def over(self) -> bool:
        began = self._session is not None
        self._forget_dead_loop()
        return super().over or (began and self._session is None)


@explained
class Channel(BaseChannel[Endpoint]):
    __doc__ = BaseChannel.__doc__

    @classmethod
    async def connect(cls, *, options: Options | None = None, **given: Unpack[ConnectKeywords]) -> None:
        """Connect the class. It takes the arguments of ``Stream.connect``, and ``options``.

        Raises ``AlreadyConnected``, and the errors of ``Stream.connect``.
        """
        endpoint = cls._make_endpoint(Endpoint, options)
        try:
            await endpoint.connect(**given)
        except BaseException:
            cls._forget(endpoint)
            raise

    @classmethod
    async def disconnect(cls, timeout: float | None = None) -> None:
        """Leave; see ``Stream.disconnect``."""
        endpoint: Endpoint | None = cls._endpoint
        cls._forget(endpoint)
        if endpoint is not None:
            await endpoint.disconnect(timeout)

    close = disconnect
    aclose = disconnect

    @classmethod
    async def run(cls, *, options: Options | None = None, **given: Unpack[ConnectKeywords]) -> None:
        """Connect if necessary, and answer requests until SIGTERM, SIGINT or ``disconnect()``; see ``Stream.run``."""
        if not cls._stands():
            cls._make_endpoint(Endpoint, options)
        endpoint = cls._connected_endpoint()
        try:
            # It connects by itself, so that a signal meanwhile is its matter as well.
            await endpoint.run(**given)
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
    async def trigger_event(
        cls, name: str, target: str, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> Response:
        """Trigger an event of the channel ``target`` and wait for its ``Response``; see ``Stream.send_to_group``.

        A ``timeout`` is sent with the request, so that the event knows its ``entry.time_left``.
        """
        return await cls._connected_endpoint().send_to_group(content_of(name, params, timeout), target, timeout)

    @classmethod
    def submit_event(
        cls, name: str, target: str, params: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> RequestFuture[Any]:
        """Trigger an event and return a future of its value; see ``Stream.submit``."""
        return cls._connected_endpoint().submit(content_of(name, params, timeout), target, timeout)
