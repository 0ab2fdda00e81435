"""Calls observers, where callbacks are called: never on the path of a request. Loaded only if there are any."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic, time

from redisipc.errors import RedisIPCError, ReportedError
from redisipc.protocol.content import decode
from redisipc.protocol.events import Incoming, Outcome, Outgoing
from redisipc.protocol.reasons import read, shortened

from .hooks import Hook
from .observation import Kind, Observation
from .reasons import text_of
from .weight import too_heavy

MOST_OBSERVED = 10_000
"""Observations that may wait for slow observers. More are counted and dropped."""


def start_of(outgoing: Outgoing) -> Observation:
    """An own request is sent now."""
    return Observation("send_started", outgoing.id.decode(), outgoing.destination, time())


def end_of(outgoing: Outgoing, outcome: Outcome) -> Observation:
    """An own request has its outcome now. The code of a rejection is not read yet."""
    code = outcome.diagnosis
    return Observation(
        "send_ended",
        outgoing.id.decode(),
        outgoing.destination,
        time(),
        monotonic() - outgoing.sent_at,
        outcome.status,
        None if code is None else str(code),
    )


def rejection_of(outcome: Outcome) -> bytes | None:
    """The content of a rejection, whose code is to be read; None for other outcomes."""
    return outcome.content if outcome.status == "rejected" else None


def with_code(seen: Observation, rejection: bytes) -> Observation:
    """The observation with the code of a rejection. Reading its content may take long."""
    return seen._replace(code=read(decode(rejection))[0])


def failure_of(hook: Hook, raised: BaseException) -> str:
    """The text about an observer that raised."""
    name = getattr(hook.function, "__qualname__", type(hook.function).__name__)
    return f"the observer {name} raised {type(raised).__name__}: {shortened(text_of(raised))}; it is not called again"


def _weight(seen: Observation, rejection: bytes | None) -> int:
    """Bytes that others chose: a content, and names."""
    return len(seen.request_id) + len(seen.group) + (0 if rejection is None else len(rejection))


class Observing:
    """Collects observations, and calls the observers of one connection.

    Observations are added by the I/O thread, or in the event loop, alone. ``wake`` has ``drain`` and then ``drained`` called
    soon. ``fatal`` exceptions of an observer are raised, all others end with its report.
    """

    def __init__(
        self,
        observers: Sequence[Callable[[Observation], None]],
        report: Callable[[RedisIPCError], None],
        wake: Callable[[], None],
        fatal: tuple[type[BaseException], ...] = (),
    ) -> None:
        self._hooks = [Hook(observer) for observer in observers]
        self._report = report
        self._wake = wake
        self._fatal = fatal
        self._waiting: deque[tuple[Observation, bytes | None]] = deque()
        # Counted by who adds, and by who takes out: together they are the bytes that wait.
        self._bytes_in = self._bytes_out = 0
        self._draining = False
        self._missed = 0
        self._began: dict[Incoming, float] = {}

    # the events

    def sent(self, outgoing: Outgoing) -> None:
        self._add(start_of(outgoing))

    def ended(self, outgoing: Outgoing, outcome: Outcome) -> None:
        self._add(end_of(outgoing, outcome), rejection_of(outcome))

    def started(self, incoming: Incoming) -> None:
        self._began[incoming] = monotonic()
        if incoming.redelivered:
            self._of("redelivered", incoming)
        self._of("run_started", incoming)

    def done(self, incoming: Incoming) -> None:
        """The handler has ended, and its answer is on its way."""
        began = self._began.pop(incoming, None)
        if began is None:
            return
        status, text = ("", b"") if incoming.answer is None else (incoming.answer[0].decode(), incoming.answer[1])
        self._of("run_ended", incoming, monotonic() - began, status, rejection=text if status == "rejected" else None)

    def lost(self, incoming: Incoming, reason: str) -> None:
        self._of("lost", incoming, reason=reason)

    def rejected(self, incoming: Incoming, code: str) -> None:
        self._of("refused", incoming, code=code)

    # calling the observers

    def drain(self) -> None:
        """Call the observers with the observations that wait. One that raises is reported and not called again."""
        for _ in range(len(self._waiting)):
            seen, rejection = self._waiting.popleft()
            self._bytes_out += _weight(seen, rejection)
            if rejection is not None:
                # Here, since the I/O thread must not stand still while a large content is read.
                seen = with_code(seen, rejection)
            for hook in list(self._hooks):
                try:
                    hook(seen)
                except BaseException as raised:
                    self._drop(hook, raised)
                    if isinstance(raised, self._fatal):
                        raise

    def drained(self) -> None:
        """By the I/O thread, or in the event loop: ``drain`` returned."""
        self._draining = False
        if self._waiting:
            self._begin()

    def _drop(self, hook: Hook, raised: BaseException) -> None:
        self._hooks.remove(hook)
        error = ReportedError(f"{failure_of(hook, raised)} on this connection", kind="observer")
        error.__cause__ = raised
        self._report(error)

    def _of(
        self,
        kind: Kind,
        incoming: Incoming,
        seconds: float = 0.0,
        status: str = "",
        code: str | None = None,
        reason: str = "",
        rejection: bytes | None = None,
    ) -> None:
        name, group = incoming.id.decode("utf-8", "replace"), incoming.source_group.decode("utf-8", "replace")
        self._add(Observation(kind, name, group, time(), seconds, status, code and str(code), reason), rejection)

    def _add(self, seen: Observation, rejection: bytes | None = None) -> None:
        if not self._hooks:
            return
        more = _weight(seen, rejection)
        if len(self._waiting) >= MOST_OBSERVED or too_heavy(more, self._bytes_in - self._bytes_out):
            self._missed += 1
            return
        if self._missed:
            text = f"{self._missed} observations were left out: the observers are too slow for them"
            self._missed = 0
            self._report(ReportedError(text, kind="observer"))
        self._bytes_in += more
        self._waiting.append((seen, rejection))
        self._begin()

    def _begin(self) -> None:
        if not self._draining:
            self._draining = True
            self._wake()
