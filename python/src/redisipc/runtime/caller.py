"""The part of a ``Caller`` that both twins share: everything that needs no waiting, and the public description."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic

from redisipc.calls import explained
from redisipc.errors import Overloaded
from redisipc.protocol.caller import Call, Turn
from redisipc.protocol.content import encode
from redisipc.protocol.events import Outcome, Outgoing
from redisipc.protocol.names import check_name, new_instance_id, new_request_id
from redisipc.protocol.settings import Default, check_count, check_flag, check_timeout

from .blocks import Blocks
from .client import HANDSHAKE_LIMIT, SETTINGS_ERRORS, check_place, wrong_settings
from .fork import watch
from .handshake_errors import hint, of_handshake
from .places import L, Places, Slot
from .response import Response, response_of

if TYPE_CHECKING:
    from .caller_observing import CallObserving
    from .keywords import AnyClient
    from .observation import Observation

IDLE = 10.0
"""Seconds after which an unused connection is no longer trusted: the next call opens a new one."""
SILENCE = 3.0
"""Seconds of silence after which a connection counts as lost, once a reply is overdue (RIPC-RECOV-25)."""


@explained
class BaseCaller(Blocks, Generic[L]):
    """A requester without a group, on the Redis stream ``stream``: for a web worker, a cron job, a lambda.

    Unlike a ``Stream`` it answers no requests. Between two calls it leaves nothing in Redis, and has no thread and no task. A
    call writes its request and reads until the response is there. So a ``Caller`` costs nothing while it is not used, and it
    works after a fork and in the next event loop.

    Each call has a connection of its own, which the next call uses again. One call at a time needs one connection. Up to
    ``max_outstanding`` calls may run at once, from several threads or tasks; more raise ``Overloaded``. Programs that
    ask a lot at once, or also answer requests, need a ``Stream``.

    ``url``, ``client`` and ``redis_options`` say where Redis is, as for a ``Stream``. ``timeout`` is in seconds, for calls
    without a timeout of their own. With ``early_end``, a request to a group that does not exist ends as ``NoResponders``
    before its timeout.

    ``observers`` are functions that are called with an ``Observation`` when a call begins and when it ends, by the thread
    or the task that makes it. One that raises is logged and not called again.
    """

    def __init__(
        self,
        stream: str,
        *,
        url: str | None = None,
        client: AnyClient | None = None,
        redis_options: Mapping[str, Any] | None = None,
        timeout: float = Default.TIMEOUT,
        max_outstanding: int = 16,
        early_end: bool = Default.EARLY_END,
        observers: Sequence[Callable[[Observation], None]] = (),
    ) -> None:
        self._stream = check_name("stream", stream)
        self._timeout = check_timeout(timeout)
        check_place(url, None, redis_options)
        options = dict(redis_options or {})
        url = options.pop("url", None) or url
        check_place(url, client, options)
        self._places = check_count("max_outstanding", max_outstanding, 1)
        self._early_end = check_flag("early_end", early_end)
        self._observing: CallObserving | None = None
        if observers != ():
            from .caller_observing import CallObserving  # only those who use it pay for the import

            self._observing = CallObserving(observers, repr(self))
        self._random = random.SystemRandom()
        try:
            self._aim(url, client, options)
        except SETTINGS_ERRORS as error:
            wrong = wrong_settings(error)
            raise wrong from wrong.__cause__
        self._begin()
        watch(self)

    def _begin(self) -> None:
        """Begin with a new instance id, and without connections."""
        self._instance = new_instance_id(self._random)
        self._highest = b"-"
        # The slot that was given back last is taken first.
        self._rooms: Places[L] = Places(self._places)
        self._free = self._rooms.free

    def after_fork(self) -> None:
        """In a forked child: the connections belong to the parent."""
        self._begin()

    # what it is

    @property
    def stream(self) -> str:
        """The name of the Redis stream."""
        return self._stream

    @property
    def instance(self) -> str:
        """The id of this instance, 6 hex characters. A forked child has another one."""
        return self._instance

    def __del__(self) -> None:
        left = [slot.line for slot in getattr(self, "_free", ()) if slot.line is not None and slot.line.open]
        if not left:
            return
        for line in left:
            line.abandon()
        warnings.warn(
            f"{self!r} was dropped with open connections ({len(left)}); call close(), or use it as a context manager",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r} cannot be copied or pickled: it has connections; make another one")

    def __repr__(self) -> str:
        return f"<{type(self).__module__.split('.')[2]} Caller {self._stream!r}>"

    # Its errors name the class that the user sees.
    __init__.__qualname__ = "Caller.__init__"

    # for the twins

    def _aim(self, url: str | None, client: Any, redis_options: dict[str, Any]) -> None:
        raise NotImplementedError

    def _call(self, content: Any, to: str, timeout: float | None) -> Call:
        """A call that is ready to be made. Raises for misuse."""
        text = encode(content)
        check_name("destination group", to)
        seconds = self._timeout if timeout is None else check_timeout(timeout)
        now = time.monotonic()
        request_id = new_request_id(self._random).encode()
        outgoing = Outgoing(request_id, text, to, now, now + seconds)
        return Call(self._stream.encode(), self._instance.encode(), outgoing, self._highest, self._early_end)

    def _take(self) -> tuple[list[Slot[L]], Slot[L]]:
        """Take a slot for one call. Returns it with the place that takes it back. Raises ``Overloaded``."""
        free = self._free
        try:
            return free, free.pop()
        except IndexError:
            raise Overloaded(
                f"max_outstanding is reached, with {self._places} under way; wait for some of them"
            ) from None

    def _tell_sent(self, call: Call) -> None:
        if self._observing is not None:
            self._observing.sent(call.outgoing)

    def _tell_ended(self, call: Call) -> None:
        if self._observing is not None:
            self._observing.ended(call.outgoing, call.outcome)

    def _trusted(self, slot: Slot[L], now: float) -> bool:
        """Whether the connection of a slot may still be used."""
        return slot.line is not None and now - slot.idle_since < IDLE

    def _title(self) -> str:
        """The name that CLIENT LIST shows."""
        return f"redisipc:{self._stream}:caller:{self._instance}"

    def _patience(self, turn: Turn) -> float:
        """Seconds for opening a connection."""
        return max(0.01, min(HANDSHAKE_LIMIT, turn.limit - time.monotonic()))

    def _handshake_failed(self, call: Call, error: Exception, now: float) -> None:
        reason, permanent = of_handshake(error)
        call.lost(False, f"{reason}{hint(reason)}", now, permanent)

    def _ended(self, call: Call) -> None:
        """Keep a connection that the next call can use."""
        self._highest = call.highest
        self._early_end = self._early_end and call.early_end

    def _response(self, call: Call, outcome: Outcome) -> Response:
        return response_of(call.outgoing, outcome, self._stream, time.monotonic())
