"""A request that was sent is waited for by a thread that blocks, or by a future.

A signal handler, a finalizer or an exception may come between any two steps. So nothing here holds a lock that an
interrupted frame could keep. Settling is one atomic operation, and a waiter checks again after it has left its signal.
"""

from __future__ import annotations

import concurrent.futures
from _thread import allocate_lock
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from logging import ERROR
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from redisipc.calls import explained_methods
from redisipc.errors import ConfigurationError, RedisIPCError
from redisipc.protocol.events import Outcome, Outgoing
from redisipc.runtime.hooks import Hook, check_function, is_async
from redisipc.runtime.internal_log import say
from redisipc.runtime.reasons import text_of
from redisipc.runtime.response import Response

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    T = TypeVarWithDefault("T", default=Any)
else:
    T = TypeVar("T")

LONGEST_WAIT = 0.5
"""Seconds of one wait. A signal that comes just before it begins, or to another thread, does not end it."""


class End(NamedTuple):
    """The end of a wait: an error to raise, or the outcome of a request."""

    error: BaseException | None = None
    outgoing: Outgoing | None = None
    outcome: Outcome | None = None
    at: float = 0.0


make_end: Callable[[type[End], tuple[None, Outgoing, Outcome, float]], End] = tuple.__new__
"""As ``End(...)`` does it, but without a call of a Python function: each request ends by it."""


class Ticket:
    """A wait that ends once.

    ``outgoing`` is the core's request, None until the I/O thread has made it. ``on_end`` is called there when the
    request has ended or was given up.
    """

    __slots__ = ("_end", "_signals", "on_end", "outgoing")

    def __init__(self) -> None:
        self.outgoing: Outgoing | None = None
        self.on_end: Callable[[], None] | None = None
        self._end: dict[str, End] = {}
        self._signals: deque[Any] = deque()

    @property
    def end(self) -> End | None:
        return self._end.get("end")

    def settle(self, end: End) -> bool:
        """Set this end, unless it has ended. Returns whether this end counts. Wakes all who wait."""
        won = self._end.setdefault("end", end) is end
        signals = self._signals
        while signals:
            try:
                signals.popleft().release()
            except IndexError:  # another thread took the last one
                break
            except RuntimeError:  # released already, by another ticket of wait_any
                pass
        return won

    def wait(self, until: float) -> End | None:
        """Wait for the end, until ``until`` (monotonic seconds). None where it has not come."""
        signal = allocate_lock()
        signal.acquire()
        # First the signal, then the check: a thread that settles it in between sees the signal.
        self._signals.append(signal)
        try:
            while not self._end:
                left = until - monotonic()
                if left <= 0 or signal.acquire(timeout=min(left, LONGEST_WAIT)):
                    break
        finally:
            if self._signals:
                self.remove_signal(signal)
        return self._end.get("end")

    def settled(self, end: End) -> None:
        """The request has ended so, or was given up: on the I/O thread."""
        self.settle(end)
        if self.on_end is not None:
            self.on_end()
            # The future refers to this object. Removing the reference here leaves no cycle to collect.
            self.on_end = None

    def add_signal(self, signal: Any) -> None:
        """Add a lock that is released when it ends."""
        self._signals.append(signal)

    def remove_signal(self, signal: Any) -> None:
        """Remove the lock: its waiter has gone, but the ticket may be kept."""
        with suppress(ValueError, IndexError):
            self._signals.remove(signal)


def wait_any(*tickets: Ticket) -> None:
    """Wait until one of them has ended."""
    signal = allocate_lock()
    signal.acquire()
    for ticket in tickets:
        ticket.add_signal(signal)
    try:
        while not any(ticket.end for ticket in tickets):
            signal.acquire(timeout=LONGEST_WAIT)
    finally:
        for ticket in tickets:
            ticket.remove_signal(signal)


class Asker(Protocol):
    """The session that sent a request, as its future knows it."""

    def check_wait(self) -> None:
        """Raise ``CannotWait`` on a thread without which nothing would ever end."""

    def overdue(self, ticket: Ticket) -> End:
        """The end of a request that should have ended long ago."""

    def give_up(self, ticket: Ticket) -> None:
        """The caller no longer waits for it."""

    def response_of(self, end: End) -> Response:
        """The response to return for an end."""

    def callback(self, hook: Hook, *arguments: Any) -> None:
        """Run a callback: on the I/O thread."""

    def apart(self, work: Callable[[], None]) -> None:
        """Do work elsewhere that may wait for a lock of the user's threads."""


@explained_methods
class RequestFuture(Future[T]):
    """A ``concurrent.futures.Future`` whose ``cancel()`` deletes the request, and notifies its handler.

    Callbacks run on threads of the endpoint, with the context variables of the call that added them.
    """

    def __init__(self, session: Asker, ticket: Ticket, request_id: bytes, until: float) -> None:
        super().__init__()
        self._id = request_id
        self._session = session
        self._until = until
        self._ticket = ticket
        self._hooks: deque[Hook] = deque()
        self._response: Response | None = None
        ticket.on_end = self._ended

    # concurrent.futures.wait() and as_completed() read this.

    @property
    def _state(self) -> str:
        end = self._ticket.end
        if end is None:
            return "PENDING"
        return "CANCELLED_AND_NOTIFIED" if isinstance(end.error, concurrent.futures.CancelledError) else "FINISHED"

    @_state.setter
    def _state(self, _state: str) -> None:
        return None

    # on the I/O thread

    def _ended(self) -> None:
        """The request has ended, or was given up."""
        while self._hooks:
            try:
                hook = self._hooks.popleft()
            except IndexError:
                break
            self._session.callback(hook, self)
        # wait() of several futures leaves a waiter under this lock, and an interrupted frame may hold the lock.
        if self._condition.acquire(blocking=False):
            some = bool(self._waiters)
            self._condition.release()
            if not some:
                return
        self._session.apart(self._tell_waiters)

    def _tell_waiters(self) -> None:
        if self._condition.acquire(timeout=1.0):
            try:
                waiters = list(self._waiters)
            finally:
                self._condition.release()
            for waiter in waiters:
                if self.cancelled():
                    waiter.add_cancelled(self)
                elif self.exception() is not None:
                    waiter.add_exception(self)
                else:
                    waiter.add_result(self)

    # for the user

    def cancel(self) -> bool:
        """Cancel the request. Returns whether it had not ended before."""
        end = End(concurrent.futures.CancelledError())
        try:
            return self._ticket.settle(end) or self.cancelled()
        finally:
            if self._ticket.end is end:
                self._session.give_up(self._ticket)

    def cancelled(self) -> bool:
        end = self._ticket.end
        return end is not None and isinstance(end.error, concurrent.futures.CancelledError)

    def running(self) -> bool:
        return False

    def done(self) -> bool:
        return self._ticket.end is not None

    def result(self, timeout: float | None = None) -> T:
        """Return the answer's value, or raise as ``Stream.request`` does; TimeoutError after ``timeout`` seconds."""
        value: T = self._wait(timeout).result()
        return value

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The exception that ``result`` raises, or None."""
        try:
            self._wait(timeout).result()
        except RedisIPCError as error:
            return error
        return None

    def add_done_callback(self, fn: Callable[[RequestFuture[T]], object]) -> None:
        """Call ``fn`` with this future when it is done, or at once if it already is."""
        check_function("add_done_callback", fn, "the future")
        if is_async(fn):
            raise ConfigurationError("add_done_callback takes a plain function here: nobody would await an async one")
        hook = Hook(fn)
        self._hooks.append(hook)
        if self._ticket.end is not None:
            # Whoever removes it runs it: the I/O thread may have done so at the same moment.
            try:
                self._hooks.remove(hook)
            except ValueError:
                return
            try:
                fn(self)
            except Exception as error:
                say(ERROR, "a callback raised %s: %s", type(error).__name__, text_of(error), error=error)

    @property
    def request_id(self) -> str:
        """The id of the request, as its handler sees it."""
        return self._id.decode()

    def _wait(self, timeout: float | None) -> Response:
        if timeout is not None:
            _check_wait(timeout)
        end = self._ticket.end
        if end is None:
            self._session.check_wait()
            until = self._until
            if timeout is not None:
                # First compared, then added: a whole number may be too large for a float.
                now = monotonic()
                until = now + min(until - now, max(0.0, timeout))
            end = self._ticket.wait(until)
            if end is None and monotonic() >= self._until:
                end = self._session.overdue(self._ticket)
        if end is None:
            raise concurrent.futures.TimeoutError
        if end.error is not None:
            raise end.error
        response = self._response
        if response is None:
            response = self._response = self._session.response_of(end)
        return response

    def __repr__(self) -> str:
        state = "cancelled" if self.cancelled() else self._state.lower()
        return f"<RequestFuture {self.request_id} {state}>"

    def __reduce__(self) -> Any:
        raise TypeError("a RequestFuture cannot be copied or pickled; take its result")


def _check_wait(timeout: float) -> None:
    """Raise ``ConfigurationError`` unless ``timeout`` is a number; any number that is not NaN is one, as in Python's futures."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        got = type(timeout).__name__
    elif timeout != timeout:
        got = "nan"
    else:
        return
    raise ConfigurationError(f"timeout must be a number of seconds, or None to wait to the end, got {got}")
