"""``Caller`` for asyncio: the calling task writes and reads by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

from redisipc.calls import explained
from redisipc.protocol.caller import Call, Turn
from redisipc.protocol.events import Outcome
from redisipc.runtime.caller import BaseCaller
from redisipc.runtime.places import Slot
from redisipc.runtime.response import Response

from .connector import Connector
from .line import Line

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from redisipc.runtime.keywords import CallerKeywords

_inherited: list[Line] = []
"""Connections of the process that forked this one."""


@explained
class Caller(BaseCaller[Line]):
    __doc__ = BaseCaller.__doc__

    @classmethod
    def from_url(cls, url: str, stream: str, **given: Unpack[CallerKeywords]) -> Self:
        """A caller on the Redis at ``url``; see the class for the rest."""
        return cls(stream, url=url, **given)

    async def send_to_group(self, content: Any, to: str, timeout: float | None = None) -> Response:
        """Ask the group ``to`` and wait for its ``Response``. If none comes within ``timeout`` seconds, it is a rejected one.

        After a timeout, the handler may have run or not. Raises only for misuse: ``ContentError``, ``Overloaded``, and
        ``ConfigurationError`` for a blank group or a timeout that is not a positive number.
        """
        call = self._call(content, to, timeout)
        return self._response(call, await self._make(call))

    async def request(self, content: Any, to: str, timeout: float | None = None) -> Any:
        """Ask the group ``to`` and return its answer, within ``timeout`` seconds (None: the caller's ``timeout``).

        Raises ``Rejected``, ``RequestTimeout``, ``NoResponders``, ``RequestFailed``, and the errors of ``send_to_group``. The
        message of ``RequestFailed`` says whether Redis may have stored the request.
        """
        return (await self.send_to_group(content, to, timeout)).result()

    async def close(self) -> None:
        """Close the connections that no call uses. A later call opens a new one."""
        for slot in list(self._free):
            await self._drop(slot)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # parts

    def _aim(self, url: str | None, client: Any, redis_options: Mapping[str, Any]) -> None:
        self._connector = Connector(url, client, dict(redis_options), self._stream)

    def after_fork(self) -> None:
        # The child keeps them referenced: if Python collected them, they would leave the parent's event loop.
        _inherited.extend(slot.line for slot in self._free if slot.line is not None)
        super().after_fork()

    async def _make(self, call: Call) -> Outcome:
        free, slot = self._take()
        closed = False
        try:
            try:
                self._tell_sent(call)
                await self._reuse(slot)
                await self._converse(call, slot)
            except GeneratorExit:
                # This coroutine is closed, maybe after its event loop: nothing can be waited for.
                closed = True
                if slot.line is not None:
                    slot.line.abandon()
                raise
            except BaseException:
                # Cancelled, for example. A request that may be stored is deleted over a new connection: this one waits for a reply.
                await self._broke(call, slot, "interrupted")
                call.cancel(monotonic())
                await self._converse(call, slot)
                raise
            assert call.outcome is not None
            return call.outcome
        finally:
            if not closed:
                if call.outcome is None:
                    await self._drop(slot)
                slot.idle_since = monotonic()
                free.append(slot)
            # Otherwise the slot ends with this coroutine, and is replaced.
            self._ended(call)
            self._tell_ended(call)

    async def _converse(self, call: Call, slot: Slot[Line]) -> None:
        while (turn := call.turn(monotonic())) is not None:
            pause = turn.at - monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            line = await self._line(call, slot, turn)
            if line is None:
                continue
            try:
                replies = await line.exchange(turn)
            except OSError as error:
                await self._broke(call, slot, str(error) or type(error).__name__)
            else:
                call.replied(replies, monotonic())
                line.sent = False

    async def _reuse(self, slot: Slot[Line]) -> None:
        """Drop a connection that may have died since the last call, and those of event loops that are closed."""
        for other in list(self._free):
            if other.line is not None and other.line.loop.is_closed():
                await self._drop(other)
        line = slot.line
        if line is not None and not (self._trusted(slot, monotonic()) and line.is_mine() and line.is_alive()):
            await self._drop(slot)

    async def _line(self, call: Call, slot: Slot[Line], turn: Turn) -> Line | None:
        """The connection to use; None where it could not be opened."""
        line = slot.line
        if line is not None and not (turn.fresh and line.answered):
            return line
        await self._drop(slot)
        try:
            writer = await self._open(turn)
        except Exception as error:
            self._handshake_failed(call, error, monotonic())
            return None
        slot.line = await Line(writer).watch()
        return slot.line

    async def _open(self, turn: Turn) -> Any:
        """A new connection. Raises what redis-py raises, and TimeoutError."""
        # Not wait_for(): it may lose a cancellation up to Python 3.11.
        opening = asyncio.ensure_future(self._connector.connect(self._title(), self._patience(turn)))
        try:
            await asyncio.wait([opening], timeout=self._patience(turn))
            if opening.done():
                return opening.result()
        except BaseException:
            opening.add_done_callback(_close_unused)
            with suppress(RuntimeError):  # the event loop is closed
                opening.cancel()
            raise
        opening.add_done_callback(_close_unused)
        opening.cancel()
        raise TimeoutError("Redis could not be reached in time")

    async def _broke(self, call: Call, slot: Slot[Line], reason: str) -> None:
        """Give up the connection: no reply to the sent commands is expected."""
        line = slot.line
        await self._drop(slot)
        if line is not None:
            call.lost(line.sent, reason, monotonic())

    async def _drop(self, slot: Slot[Line]) -> None:
        line, slot.line = slot.line, None
        if line is not None:
            await line.close()


def _close_unused(opening: asyncio.Future[Any]) -> None:
    """Close a connection that was opened too late: nobody waits for it now."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().transport.abort()
