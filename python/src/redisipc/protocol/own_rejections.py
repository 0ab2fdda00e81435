"""Rejects requests without a handler: too many wait, no instance has a handler, they are too old, were started too
often, or still run when the endpoint closes."""

from __future__ import annotations

from collections.abc import Callable

from .answers import Answers
from .content import encode
from .endpoint_state import EndpointState
from .entry import REJECTED
from .events import Incoming
from .reasons import EachSecond, ReasonCode, more, read, reason
from .states import advance


class OwnRejections:
    """Rejects requests, and reports at most one rejection a second for each code."""

    def __init__(self, shared: EndpointState, answers: Answers) -> None:
        self.shared = shared
        self._answers = answers
        self._held_back = EachSecond()
        self.on_rejected: Callable[[Incoming, ReasonCode], None] = lambda _incoming, _code: None

    def reject(self, incoming: Incoming, code: ReasonCode, text: str, now: float) -> None:
        """Reject with a reason of that code (RIPC-RESP-22)."""
        self._say(incoming, code, reason(code, text), now)

    def unserved(self, incoming: Incoming, now: float) -> None:
        """No instance of the group has a handler (RIPC-RESP-10)."""
        in_words_of = self.shared.settings.unserved_reason
        if in_words_of is None:
            self.reject(incoming, ReasonCode.NO_HANDLER, "no instance of this group has a handler for requests", now)
        else:
            said = in_words_of(incoming.content)
            self._say(incoming, ReasonCode(read(said)[0] or ReasonCode.NO_HANDLER), said, now)

    def closing(self, incoming: Incoming, now: float) -> None:
        """Its handler still runs when the time to close is over (RIPC-LIFE-26)."""
        advance(incoming, "answer")
        said = reason(ReasonCode.CLOSING, "the instance disconnected before its handler ended")
        self._answers.add(incoming, REJECTED, encode(said), now)
        self.report(incoming, ReasonCode.CLOSING, said, now)

    def _say(self, incoming: Incoming, code: ReasonCode, said: str, now: float) -> None:
        advance(incoming, "overload")
        incoming.done = True
        # RIPC-CONTENT-2: some of the words begin like JSON, such as "no_handler" and "too_old".
        self._answers.add(incoming, REJECTED, encode(said.encode("utf-8", "replace").decode()), now)
        self.report(incoming, code, said, now)

    def report(self, incoming: Incoming, code: ReasonCode, said: str, now: float) -> None:
        """Report a request that was rejected like this."""
        self.on_rejected(incoming, code)
        held = self._held_back.take(code, now)
        if held is not None:
            who = f"request {incoming.id.decode(errors='replace')} from {incoming.source_group.decode(errors='replace')!r}"
            self.shared.problem(code.value, f"rejected {who}: {said}{more(held)}", incoming.entry_id)
