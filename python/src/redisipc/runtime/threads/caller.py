"""``Caller`` for threads: the calling thread writes and reads by itself."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic, sleep
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
from .openings import WaitedOpenings

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from redisipc.runtime.keywords import CallerKeywords


@explained
class Caller(BaseCaller[Line]):
    __doc__ = BaseCaller.__doc__

    @classmethod
    def from_url(cls, url: str, stream: str, **given: Unpack[CallerKeywords]) -> Self:
        """A caller on the Redis at ``url``; see the class for the rest."""
        return cls(stream, url=url, **given)

    def send_to_group(self, content: Any, to: str, timeout: float | None = None) -> Response:
        """Ask the group ``to`` and wait for its ``Response``. If none comes within ``timeout`` seconds, it is a rejected one.

        After a timeout, the handler may have run or not. Raises only for misuse: ``ContentError``, ``Overloaded``, and
        ``ConfigurationError`` for a blank group or a timeout that is not a positive number.
        """
        call = self._call(content, to, timeout)
        return self._response(call, self._make(call))

    def request(self, content: Any, to: str, timeout: float | None = None) -> Any:
        """Ask the group ``to`` and return its answer, within ``timeout`` seconds (None: the caller's ``timeout``).

        Raises ``Rejected``, ``RequestTimeout``, ``NoResponders``, ``RequestFailed``, and the errors of ``send_to_group``. The
        message of ``RequestFailed`` says whether Redis may have stored the request.
        """
        return self.send_to_group(content, to, timeout).result()

    def close(self) -> None:
        """Close the connections that no call uses. A later call opens a new one."""
        for slot in list(self._free):
            self._drop(slot)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # parts

    def _aim(self, url: str | None, client: Any, redis_options: Mapping[str, Any]) -> None:
        self._connector = Connector(url, client, dict(redis_options), self._stream)
        self._openings = WaitedOpenings(self._connector)

    def after_fork(self) -> None:
        # Closing the copies here leaves the parent's connections open.
        self.close()
        self._openings = WaitedOpenings(self._connector)
        super().after_fork()

    def _make(self, call: Call) -> Outcome:
        free, slot = self._take()
        try:
            try:
                self._tell_sent(call)
                self._reuse(slot)
                self._converse(call, slot)
            except BaseException:
                # Ctrl-C, for example. A request that may be stored is deleted over a new connection: this one waits for a reply.
                self._broke(call, slot, "interrupted")
                call.cancel(monotonic())
                self._converse(call, slot)
                raise
            assert call.outcome is not None
            return call.outcome
        finally:
            if call.outcome is None:
                self._drop(slot)
            slot.idle_since = monotonic()
            free.append(slot)
            self._ended(call)
            self._tell_ended(call)

    def _converse(self, call: Call, slot: Slot[Line]) -> None:
        while (turn := call.turn(monotonic())) is not None:
            pause = turn.at - monotonic()
            if pause > 0:
                sleep(pause)
                continue
            line = self._line(call, slot, turn)
            if line is None:
                continue
            try:
                replies = line.exchange(turn)
            except OSError as error:
                self._broke(call, slot, str(error) or type(error).__name__)
            else:
                # Only now: an exception of a signal handler must not make it seem unsent.
                call.replied(replies, monotonic())
                line.sent = False

    def _reuse(self, slot: Slot[Line]) -> None:
        """Drop a connection that may have died since the last call."""
        line = slot.line
        if line is not None and not (self._trusted(slot, monotonic()) and line.is_alive()):
            self._drop(slot)

    def _line(self, call: Call, slot: Slot[Line], turn: Turn) -> Line | None:
        """The connection to use; None where it could not be opened."""
        line = slot.line
        if line is not None and not (turn.fresh and line.answered):
            return line
        self._drop(slot)
        try:
            sock = self._openings.open(self._title(), self._patience(turn))
        except Exception as error:
            self._handshake_failed(call, error, monotonic())
            return None
        slot.line = Line(sock)
        return slot.line

    def _broke(self, call: Call, slot: Slot[Line], reason: str) -> None:
        """Give up the connection: no reply to the sent commands is expected."""
        line = slot.line
        self._drop(slot)
        if line is not None:
            call.lost(line.sent, reason, monotonic())

    def _drop(self, slot: Slot[Line]) -> None:
        line, slot.line = slot.line, None
        if line is not None:
            line.close()
