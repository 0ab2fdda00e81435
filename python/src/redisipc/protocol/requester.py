"""Requests that this instance sent: the ledger and the deadlines. The last look is in ``last_look.py``."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

from redisipc.errors import ClosedError, NotConnected, Overloaded

from . import commands
from .commands import Failure, Step
from .diagnosis import Diagnosis
from .early_end import EarlyEnd
from .endpoint_state import EndpointState
from .entry import FULFILLED, PENDING, Entry
from .events import CLOSED, CLOSING, NEW, Finished, Outcome, Outgoing
from .last_look import LastLook
from .names import check_name, new_request_id
from .outcomes import refused, timed_out
from .own_entries import OwnEntries
from .redis_errors import FOR_GOOD, PASSING, class_of
from .settings import NEVER, check_timeout
from .states import SENT

NOT_DONE = object()
"""Stands for the reply to an XADD that was not executed because of another command."""


class Requester:
    """The ledger of one instance: ``outstanding`` maps the id of each request to its record."""

    def __init__(self, shared: EndpointState) -> None:
        self.shared = shared
        self.outstanding: dict[bytes, Outgoing] = {}
        self.own_entries: OwnEntries
        self.may_send_while_closing = False
        self._checked: str = ""
        """The destination that was checked last: the next one is the same object as a rule."""
        self._deadlines: list[tuple[float, int, Outgoing]] = []
        self._order = itertools.count()
        self.last_look: LastLook = LastLook(shared, self._looked_at, self._found_nothing)
        self.early_end: EarlyEnd = EarlyEnd(shared, self.outstanding, self._no_responders)
        shared.outbox.make_adds = self._add_step

    # calls of the user

    def check(self, destination: str, timeout: float) -> float:
        """Raise the error of a call that cannot be made now, or return its timeout. Changes nothing."""
        shared = self.shared
        if shared.state is CLOSED or (shared.state is CLOSING and not self.may_send_while_closing):
            raise ClosedError("the endpoint is closed; make a new one, or send before close()")
        if shared.state is NEW:
            raise NotConnected("not connected; call connect() before sending")
        if not destination or destination is not self._checked:
            self._checked = check_name("destination group", destination)
        return timeout if type(timeout) is float and 0 < timeout < NEVER else check_timeout(timeout)

    def send(
        self, text: bytes, destination: str, timeout: float, now: float, request_id: bytes | None = None
    ) -> Outgoing:
        shared = self.shared
        timeout = self.check(destination, timeout)
        if len(self.outstanding) >= shared.settings.max_outstanding:
            raise Overloaded(
                f"max_outstanding is reached, with {len(self.outstanding)} outstanding; wait for some of them"
            )
        if request_id is None:
            request_id = new_request_id(shared.random).encode()
        outgoing = Outgoing(request_id, text, destination, now, now + timeout)
        # RIPC-REQ-1: noted in the ledger before it is written, so that no response can come too early.
        self.outstanding[request_id] = outgoing
        heapq.heappush(self._deadlines, (outgoing.deadline, next(self._order), outgoing))
        shared.outbox.adds.append(outgoing)
        return outgoing

    def cancel(self, outgoing: Outgoing, now: float, status: str = "cancelled", reason: str = "cancelled") -> None:
        if outgoing.state == "finished":
            return
        known, written = outgoing.entry_id, outgoing.state != "queued"
        self._advance(outgoing, "cancel")
        self._finish(outgoing, Outcome(status, None, reason))
        if known is not None:
            self.shared.outbox.clean(None, known, now)
        elif written:
            self.last_look.abandon(outgoing)

    # entries

    def knows(self, id: bytes) -> bool:
        return id in self.outstanding

    def response(self, entry: Entry) -> None:
        """The first response to a request that is outstanding (RIPC-REQ-4, RIPC-REQ-5, RIPC-REQ-7)."""
        outgoing = self.outstanding[entry.id]
        outgoing.state = SENT[outgoing.state, "response"]
        status = "fulfilled" if entry.status == FULFILLED else "rejected"
        self._finish(outgoing, Outcome(status, entry.content))

    # time

    def due(self) -> float:
        heap = self._deadlines
        while heap and heap[0][2].state == "finished":
            heapq.heappop(heap)
        if not heap:
            return NEVER
        ends, asks = heap[0][0], self.early_end.due()
        return ends if ends < asks else asks

    def tick(self, now: float) -> None:
        self.early_end.tick(now)
        heap = self._deadlines
        while heap and heap[0][0] <= now:
            outgoing = heapq.heappop(heap)[2]
            if outgoing.state == "finished":
                continue
            if outgoing.state == "looking":
                self._advance(outgoing, "limit")
                self._timed_out(outgoing, now)
                continue
            self._advance(outgoing, "deadline")
            if outgoing.state == "finished":
                self._timed_out(outgoing, now, False)
            elif self._may_look():
                self.last_look.add(outgoing)
                heapq.heappush(heap, (now + self.shared.settings.look_limit, next(self._order), outgoing))
            else:
                self._advance(outgoing, "connection lost")
                self._timed_out(outgoing, now)
        if len(heap) > 2 * len(self.outstanding) + 1000:
            self._deadlines = [item for item in heap if item[2].state != "finished"]
            heapq.heapify(self._deadlines)
        self.last_look.begin()

    def _may_look(self) -> bool:
        """While connected, it looks once more (RIPC-TIME-8)."""
        return self.shared.reachable

    def connected(self) -> None:
        """Connected again: the last look at requests that were given up meanwhile can begin."""
        self.last_look.begin()

    def connection_lost(self, now: float) -> None:
        """No look is possible now: requests in their last look end as timed out."""
        for outgoing in self.last_look.stop():
            if outgoing.state == "looking":
                self._advance(outgoing, "connection lost")
                self._timed_out(outgoing, now)

    def look_for_all(self) -> None:
        """The endpoint closes: take one last look at every request that may be stored already."""
        for outgoing in self.outstanding.values():
            if outgoing.state != "queued":
                self.last_look.add(outgoing)
        self.last_look.begin()

    def remember_deadlines(self) -> None:
        """Note the deadlines of all outstanding requests again."""
        self._deadlines = [(o.deadline, next(self._order), o) for o in self.outstanding.values()]
        heapq.heapify(self._deadlines)

    def close(self, reason: str, now: float) -> None:
        for outgoing in list(self.outstanding.values()):
            self.cancel(outgoing, now, "closed", reason)
        self.shared.outbox.adds.clear()
        self.last_look.begin()

    # parts

    def _advance(self, outgoing: Outgoing, event: str) -> None:
        outgoing.state = SENT[outgoing.state, event]

    def _finish(self, outgoing: Outgoing, outcome: Outcome) -> None:
        self.outstanding.pop(outgoing.id, None)
        if self.last_look.looking:
            self.last_look.looking.pop(outgoing.id, None)
        self.shared.queue.append(Finished(outgoing, outcome))

    def _found_nothing(self, outgoing: Outgoing, now: float) -> None:
        self._advance(outgoing, "nothing found")
        self._timed_out(outgoing, now, False)

    def _timed_out(self, outgoing: Outgoing, now: float, may_be_stored: bool = True) -> None:
        if outgoing.entry_id is not None:
            # RIPC-TIME-5, RIPC-TIME-10: repeated until it succeeds, since a request must not run long after its
            # requester gave up.
            if not self.last_look.deleted(outgoing):
                self.shared.outbox.clean(None, outgoing.entry_id, now)
                self.shared.outbox.cleanup_due = now
        elif may_be_stored:
            self.last_look.abandon(outgoing)
        self.shared.counts.timeouts += 1
        self._finish(outgoing, timed_out(outgoing, self.last_look.diagnoser.of(outgoing, now)))

    def _no_responders(self, outgoing: Outgoing, reason: str, now: float) -> None:
        self._advance(outgoing, "no group")
        self.shared.counts.timeouts += 1
        self._finish(outgoing, Outcome("no responders", None, reason, Diagnosis.NO_SUCH_GROUP))
        if outgoing.entry_id is not None:
            self.shared.outbox.clean(None, outgoing.entry_id, now)
            self.shared.outbox.cleanup_due = now

    def _looked_at(self, entry: Entry) -> bool:
        """Handle a response that the last look found. False if no request waits for it."""
        if entry.id not in self.last_look.looking:
            return False
        self.response(entry)
        return True

    # writing

    def _add_step(self, items: list[Outgoing]) -> Step:
        shared = self.shared
        names = shared.names
        instance, group = names.instance, names.group
        sent: list[Outgoing] = []
        lines: list[commands.Command] = []
        floor, size, to_others = self._floor(), 0, True
        for outgoing in items:
            if outgoing.state != "queued":
                continue
            outgoing.state = SENT["queued", "written"]
            outgoing.floor = floor
            sent.append(outgoing)
            size += len(outgoing.text)
            destination = outgoing.destination.encode()
            # A request to its own group is for the member that reads it first.
            to_others = to_others and destination != group
            # RIPC-ENTRY-3 to 6
            lines.append(
                commands.add_entry(names.stream, outgoing.id, instance, PENDING, outgoing.text, group, destination)
            )

        own = self.own_entries
        wrapped = own.wrap(lines, len(sent), size, shared.now) if to_others else None

        def done(answers: list[Any], now: float) -> None:
            if wrapped is None:
                self._added(sent, answers, now)
            else:
                self._added(sent, self._results(own.take(answers), len(sent)), now)
                own.received(now)

        def lost(was_sent: bool, now: float) -> None:
            for outgoing in sent:
                if was_sent:
                    self.unsure(outgoing, now)
                else:
                    self._not_stored(outgoing, now)

        return Step(wrapped or lines, done, lost)

    def _results(self, replies: list[Any] | None, count: int) -> list[Any]:
        """The reply to each XADD of a transaction; ``NOT_DONE`` if it was queued but not executed."""
        if replies is None:
            return [NOT_DONE] * count
        begin, *queued, end = replies
        if isinstance(begin, Failure):
            # MULTI itself was refused: each XADD was executed for itself (RIPC-RESP-26).
            if class_of(begin) in FOR_GOOD:
                self.shared.multi_refused()
            return queued
        if isinstance(end, list):
            return end
        if not any(isinstance(reply, Failure) for reply in queued):
            # The error came after the commands were queued, and concerns all of them.
            return [end] * count
        # A refused XADD makes the others fail, too. They are written again, without a report.
        return [reply if isinstance(reply, Failure) else NOT_DONE for reply in queued]

    def _added(self, sent: list[Outgoing], answers: list[Any], now: float) -> None:
        shared = self.shared
        for outgoing, reply in zip(sent, answers, strict=True):
            if isinstance(reply, bytes):
                self._stored(outgoing, reply, now)
            elif isinstance(reply, Failure):
                self._refused(outgoing, reply, now)
            elif reply is NOT_DONE:
                self._not_stored(outgoing, now)
            else:
                shared.fail(Failure("NOGROUP", "NOGROUP the stream is gone"))
                self._not_stored(outgoing, now)
        if answers and isinstance(answers[-1], bytes):
            shared.saw_id(answers[-1], now)
            shared.taken()

    def _floor(self) -> bytes:
        """The highest known entry ID: a request that is written now comes after it (RIPC-TIME-14)."""
        return self.shared.highest

    def unsure(self, outgoing: Outgoing, now: float) -> None:
        """RIPC-REQ-3: it may be stored; sending it again could run it twice."""
        outgoing.refusal = ""
        if outgoing.state == "finished":
            # A last look follows as soon as there is a connection again.
            self.last_look.abandon(outgoing)
        else:
            self._advance(outgoing, "unknown")

    def _stored(self, outgoing: Outgoing, entry_id: bytes, now: float) -> None:
        outgoing.entry_id = entry_id
        if outgoing.state == "finished":
            # RIPC-REQ-12: cancelled, timed out or even answered while the reply was on its way.
            self.last_look.abandoned.pop(outgoing.id, None)
            self.shared.outbox.clean(None, entry_id, now)
            return
        outgoing.state = SENT[outgoing.state, "stored"]
        if outgoing.state == "waiting":
            self.early_end.stored(outgoing, now)

    def _not_stored(self, outgoing: Outgoing, now: float) -> None:
        if outgoing.state == "finished":
            self.last_look.abandoned.pop(outgoing.id, None)
            return
        self._advance(outgoing, "not stored")
        if outgoing.state == "queued":
            self.shared.outbox.adds.append(outgoing)
        else:
            self._timed_out(outgoing, now, False)

    def _refused(self, outgoing: Outgoing, failure: Failure, now: float) -> None:
        """An error reply says that nothing was stored, so sending it later does not repeat it (RIPC-REQ-14)."""
        if class_of(failure) in PASSING:
            self.shared.fail(failure)
            outgoing.refusal = failure.message
            self._not_stored(outgoing, now)
        elif outgoing.state != "finished":
            self._advance(outgoing, "refused")
            self._finish(outgoing, refused(failure))
            # Permanent: reported once for each kind, beside the outcome (RIPC-RECOV-15, RIPC-RECOV-27). Unknown: as lost.
            self.shared.fail(failure)
