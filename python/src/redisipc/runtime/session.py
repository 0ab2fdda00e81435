"""The part of a session that both twins share: one endpoint from ``connect()`` to its end.

A ``Stream`` has the options and the public verbs, and one session at a time. The session never holds the Stream, so that
a Stream that was dropped is noticed.
"""

from __future__ import annotations

import logging
import random
import time
import warnings
from collections.abc import Callable
from functools import partial
from time import time as wall_clock
from typing import TYPE_CHECKING, Any

from redisipc.errors import (
    AlreadyAnswered,
    ClosedError,
    ConnectionLost,
    ContentError,
    ForkedError,
    HandlerError,
    NotConnected,
    RedisIPCError,
    Reject,
    ReportedError,
    bounded,
)
from redisipc.protocol import json_fast
from redisipc.protocol.content import encode
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.events import Incoming, State
from redisipc.protocol.reasons import EachSecond, ReasonCode, more, reason, shortened
from redisipc.protocol.timeouts import Timeouts

from .driver import Driver
from .fork import watch
from .handshake_errors import hint
from .hooks import Hook, Hooks
from .options import Options, settings_of
from .reasons import OwnRejection, crash, raised_by, text_of
from .received import Received
from .tls_words import tls_advice

if TYPE_CHECKING:
    from .observing import Observing

HUNG = 0.25
"""After its time to leave is over, an endpoint waits for Redis only if Redis answered in the last so many seconds."""

logger: logging.Logger = logging.getLogger("redisipc")
# Silent until the program configures logging.
logger.addHandler(logging.NullHandler())


class BaseSession:
    """The core of one connection, and what both twins do with it. ``kind`` names the kind of twin.

    ``on_left`` is called when it has ended. ``takes_async``: the user's functions may be async.
    ``fails_over``: another server may take over. ``cause``: the last error of an opening. ``leaves``: its end has begun.
    """

    takes_async: bool = False

    def __init__(
        self,
        fails_over: bool,
        kind: str,
        on_left: Callable[[BaseSession], None],
        stream: str,
        group: str,
        options: Options,
        hooks: Hooks,
        log: logging.Logger | None,
    ) -> None:
        self.stream = stream
        self.group = group
        self.options = options
        self.hooks = hooks
        serves = hooks.on_request is not None
        settings = settings_of(options, stream, group, serves, hooks.unserved_reason, fails_over)
        self.endpoint: Endpoint = Endpoint(settings, random.Random())
        json_fast.seek()  # now, rather than with the first request
        self.driver: Driver
        self.observing: Observing | None = None
        self.forked: bool = False
        self.ended: bool = False
        self.leaves: bool = False
        self.reason = ""
        self.permanent = False
        self.address = ""
        self.secure: bool | None = None
        self.cause: BaseException | None = None
        self.last_instance: str | None = None
        self.since: float = wall_clock()
        self.reconnects = 0
        self._rejections = EachSecond()
        self._timeouts = Timeouts(self.endpoint.shared)
        self.log_to: logging.Logger = logger if log is None else log
        self._on_left = on_left
        self._title = f"<{kind} Stream {stream!r} group {group!r}"
        watch(self)

    def __repr__(self) -> str:
        state = "forked" if self.forked else "not connected" if self.cut_off else self.endpoint.state.value
        return f"{self._title} {state}>"

    # for the twins

    def call(self, work: Callable[[float], None]) -> None:
        """Do ``work`` with the core, now or soon. May be called at any moment, also by a signal handler."""
        raise NotImplementedError

    def serve(self) -> None:
        """There is a handler now. May be called from any thread."""
        self.call(partial(self.endpoint.serve, True))

    def after_fork(self) -> None:
        """In a forked child: nothing here can be used any longer."""
        self.forked = True

    def warn_left(self, what: str) -> None:
        """The program did not disconnect it before ``what`` ended: it left then."""
        warnings.warn(
            f"{self._title}> was connected when {what} ended; it has disconnected in order, but call disconnect() before that",
            ResourceWarning,
            stacklevel=2,
        )

    def left(self) -> None:
        """It has ended: the Stream may connect again."""
        self.ended = True
        self._on_left(self)

    # what it is

    @property
    def instance(self) -> str | None:
        return self.endpoint.instance if self.endpoint.state is not State.JOINING else None

    @property
    def has_joined(self) -> bool:
        """Whether others find it, and its first read is on its way (RIPC-LIFE-3)."""
        return self.endpoint.state is State.UP and self.driver.reads

    @property
    def cut_off(self) -> str:
        """Why this session is dead, though the program did not disconnect it. Usually empty."""
        return "the process was forked" if self.forked else ""

    @property
    def connected(self) -> bool:
        return self.endpoint.state is State.UP and not self.cut_off

    @property
    def closing(self) -> bool:
        return self.endpoint.state in (State.CLOSING, State.CLOSED)

    def check(self) -> None:
        """Raise the error that says why it cannot be used."""
        if self.forked:
            raise ForkedError(
                f"{self!r} was connected before this process was forked; a child inherits neither connections nor threads: "
                "make and connect a Stream in the child"
            )
        if self.ended:
            raise NotConnected(f"{self!r} is not connected any longer; call connect() again")

    def hangs(self) -> bool:
        """Whether Redis owes a reply and does not send it."""
        return self.driver.writer.unanswered(time.monotonic()) > HUNG

    def lost_error(self) -> ConnectionLost | ClosedError:
        """Why ``connect()`` did not succeed."""
        if self.closing:
            return ClosedError(f"{self!r} was closed while it connected")
        where = f"Redis at {self.address}" if self.address else "Redis"
        reason = self.reason.rstrip(".")
        if self.permanent:
            lost = ConnectionLost(f"{where} refuses this endpoint: {reason}{hint(self.reason)}")
        else:
            limit = self.options.connect_timeout
            advice = tls_advice(self.reason, self.secure) or hint(self.reason).removeprefix("; ")
            lost = ConnectionLost(
                f"no working connection to {where} within {limit:g} s: {reason or 'no answer'}; "
                f"{advice or 'is it running, and is it the one that url=, client= or REDIS_URL names?'}"
            )
        lost.__cause__ = self.cause
        return lost

    # answers

    def answer(self, received: Received, status: str, text: bytes) -> None:
        """Answer a request of this session. Raises ``AlreadyAnswered``, ``NotConnected``, ``ForkedError``."""
        self.check()
        incoming = received.incoming
        try:
            if not received.claim():
                # RIPC-RESP-3
                raise AlreadyAnswered(f"request {received.id!r} is answered already; answer it once")
            self.call(partial(self._write_answer, incoming, status, text))
        except AlreadyAnswered:
            raise
        except BaseException:
            # A signal handler raised: code that catches this may answer again. An answer that was passed on counts.
            received.unclaim()
            raise

    def forget(self, received: Received) -> None:
        """Never answer a request of this session."""
        self.check()
        received.claim()
        self.call(partial(self.endpoint.forget, received.incoming))

    def timeout_of(self, incoming: Incoming) -> float | None:
        """The default timeout that the requester announces. Where it is not known, it is asked for. From any thread."""
        found, ask = self._timeouts.look(incoming, time.monotonic())
        if ask and not self.ended and not self.forked:
            self.call(partial(self._timeouts.ask, incoming))
        return found

    def _write_answer(self, incoming: Incoming, status: str, text: bytes, now: float) -> None:
        try:
            self.endpoint.answer(incoming, status, text, now)
        except AlreadyAnswered:
            pass

    def observe(self, wake: Callable[[], None], *fatal: type[BaseException]) -> None:
        """Request a call of the observers, if there are any."""
        if self.options.observers:
            from .observing import Observing  # nobody else pays for it

            self.observing = Observing(self.options.observers, self.report, wake, fatal)
            self.endpoint.wiring.responder.rejections.on_rejected = self.observing.rejected

    # how a handler ended

    def fulfilment(self, received: Received, value: Any) -> tuple[str, bytes]:
        """Status and text for what a handler returned."""
        try:
            return "fulfilled", encode(value)
        except ContentError as error:
            return self._not_encodable(received, error, "the handler's result cannot be sent")

    def rejection(self, received: Received, error: BaseException, what: str = "") -> tuple[str, bytes]:
        """Status and text for what a handler raised. ``what`` happened, if the exception does not say so."""
        if isinstance(error, Reject):
            if isinstance(error, OwnRejection):
                self.rejected(error.reason_code, error.content, received)
            try:
                return "rejected", encode(error.content)
            except ContentError as inner:
                return self._not_encodable(received, inner, "the content of Reject cannot be sent")
            except BaseException as inner:
                # The value raised while it was read.
                error = inner
        text = f"{what}: {text_of(error)}" if what else text_of(error)
        self._report_failure(received, error, text)
        # RIPC-RESP-7, RIPC-RESP-8, RIPC-RESP-24
        return "rejected", encode(crash(error, text, received.id, self.options.expose_errors))

    def _not_encodable(self, received: Received, error: ContentError, what: str) -> tuple[str, bytes]:
        text = f"{what}: {shortened(text_of(error))}"
        self._report_rejection(ReasonCode.NOT_ENCODABLE, text, received, HandlerError, error)
        self.call(self._count_failure)
        exposed = what if self.options.expose_errors == "none" else text
        return "rejected", encode(reason(ReasonCode.NOT_ENCODABLE, exposed))

    def _report_failure(self, received: Received, error: BaseException, text: str) -> None:
        report = HandlerError(
            f"the handler of {received!r} raised {type(error).__name__}: {shortened(text)}",
            entry_id=received.incoming.entry_id.decode(),
        )
        report.__cause__ = error
        self.call(self._count_failure)
        # Its traceback holds the handler's frame, and so the request.
        self.report(report, len(received.incoming.content) + len(text))

    def _count_failure(self, _now: float) -> None:
        self.endpoint.shared.counts.failed += 1

    def rejected(self, code: str, reason: str, received: Received) -> None:
        """This endpoint rejects a request by itself: it reports this at most once a second for each code."""
        self._report_rejection(code, reason, received)

    def _report_rejection(
        self,
        code: str,
        text: str,
        received: Received,
        kind: type[ReportedError] = ReportedError,
        cause: BaseException | None = None,
    ) -> None:
        if self.observing is not None:
            observing = self.observing
            self.call(lambda _now: observing.rejected(received.incoming, code))
        held = self._rejections.take(code, time.monotonic())
        if held is not None:
            said = f"rejected {received!r}: {shortened(text)}{more(held)}"
            error = kind(said, kind=str(code), entry_id=received.incoming.entry_id.decode())
            error.__cause__ = cause
            self.report(error)

    # reports and callbacks

    def report(self, error: RedisIPCError, more: int = 0) -> None:
        """Hand an error to ``on_error``, from everywhere; never waits. ``more``: bytes that its cause holds."""
        raise NotImplementedError

    def note(self, level: int, text: str) -> None:
        """Log from within the driver. Never waits."""
        raise NotImplementedError

    def call_now(self, hook: Hook) -> None:
        """Call a function of the user here. Its exceptions are handled as those of other callbacks."""
        raise NotImplementedError

    def call_hook(self, what: str, hook: Hook, argument: Any) -> None:
        """Request a call of a user's function, after earlier ones. Never waits."""
        raise NotImplementedError

    def hook_raised(self, what: str, raised: BaseException) -> None:
        """A function of the user raised, and no caller waits for it."""
        self.report(raised_by(what, raised))

    def tell(self, error: RedisIPCError) -> Any:
        """Call ``on_error``, or log if there is none. Returns what the handler returned."""
        hook = self.hooks.on_error
        if hook is None:
            self.log(logging.ERROR, str(error), cause=error.__cause__)
            return None
        try:
            return hook(error)
        except Exception as raised:
            self.failed_report(error, raised)
            return None

    def failed_report(self, error: RedisIPCError, raised: BaseException) -> None:
        """``on_error`` itself raised: only the log can tell it."""
        self.log(
            logging.ERROR, f"on_error raised {type(raised).__name__}: {text_of(raised)}, for: {error}", cause=raised
        )

    def log(self, level: int, text: str, cause: BaseException | None = None) -> None:
        instance = self.instance or self.last_instance
        about = {"redisipc_stream": self.stream, "redisipc_group": self.group, "redisipc_instance": instance}
        line = bounded(f"<{self.stream}:{self.group}:{instance or '-'}> {text}")
        self.log_to.log(level, "%s", line, exc_info=cause, extra=about)
