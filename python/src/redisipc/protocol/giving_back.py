"""Gives requests back to the group. A look before the write finds those that another member may have by now."""

from __future__ import annotations

from typing import Any

from . import commands
from .commands import Failure, Step
from .endpoint_state import EndpointState
from .events import Incoming
from .ownership import Verdict, verify
from .redis_errors import NO_WRITES, class_of


class GivingBack:
    """Makes the outbox's step for the requests that ``Responder`` gave back."""

    def __init__(self, shared: EndpointState) -> None:
        self.shared = shared

    def step(self, returned: list[Incoming], now: float) -> Step | None:
        """Made when it is sent: a request not claimed for long may be another member's by now (RIPC-GROUP-11)."""
        shared = self.shared
        ids: list[bytes] = []
        late: list[Incoming] = []
        for incoming in returned:
            if self._is_late(incoming, now):
                late.append(incoming)
            else:
                ids.append(incoming.entry_id)
        if late:
            shared.carry_out(verify(shared, late, anew=True), self._verified_for_return)
        if not ids:
            return None
        names = shared.names
        lines: list[commands.Command] = [commands.give_back(names.stream, names.group, names.dispatcher, ids)]
        if shared.outbox.wakeups:
            lines.append(("PUBLISH", names.group_wakeup, b""))

        def done(answers: list[Any], _now: float) -> None:
            if isinstance(answers[0], Failure):
                shared.fail(answers[0])
                if class_of(answers[0]) is NO_WRITES:
                    shared.outbox.returned += [incoming for incoming in returned if incoming not in late]

        # If the reply does not come, this is not sent again (RIPC-RECOV-18): another member may run the request by
        # then.
        return Step(lines, done)

    def _is_late(self, incoming: Incoming, now: float) -> bool:
        return now - incoming.kept_at >= self.shared.settings.late_after

    def _verified_for_return(self, verdict: Verdict, now: float) -> None:
        self.shared.outbox.returned += verdict.ours
        for incoming in verdict.gone:
            self.shared.outbox.clean(incoming.entry_id, None, now)
