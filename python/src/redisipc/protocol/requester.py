"""Requests that this instance sent: the ledger, deadlines and the last look."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

from redisipc.errors import ClosedError, NotConnected, Overloaded

from . import commands, replies
from .commands import Failure, Step
from .core import Core
from .entry import FULFILLED, PENDING, Entry, Malformed, build, parse
from .errors_of_redis import is_outage, is_refusal
from .events import CLOSED, CLOSING, NEW, UP, Finished, Outcome, Outgoing
from .names import check_name, new_request_id
from .settings import NEVER, check_timeout
from .states import SENT

_PAGE = 1000
_PAGES = 20


class Requester:
    """The ledger of one instance: ``outstanding`` maps the id of each request to its record."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.outstanding: dict[bytes, Outgoing] = {}
        self._deadlines: list[tuple[float, int, Outgoing]] = []
        self._order = itertools.count()
        self._looking: dict[bytes, Outgoing] = {}
        self._look_running = False
        # Given up while nobody knew whether they were stored: to be found and deleted (RIPC-REQ-12, RIPC-TIME-10).
        self._abandoned: dict[bytes, Outgoing] = {}
        core.outbox.add_step = self._add_step

    # calls of the user

    def send(self, text: bytes, destination: str, timeout: float, now: float) -> Outgoing:
        core = self.core
        if core.state in (CLOSING, CLOSED):
            raise ClosedError("the endpoint is closed; make a new one, or send before close()")
        if core.state is NEW:
            raise NotConnected("not connected; call connect() before sending")
        check_name("destination group", destination)
        if len(self.outstanding) >= core.settings.max_outstanding:
            raise Overloaded(
                f"{len(self.outstanding)} requests are outstanding, max_outstanding allows no more; wait for some of them"
            )
        request_id = new_request_id(core.random).encode()
        outgoing = Outgoing(request_id, text, destination, now, now + check_timeout(timeout))
        # RIPC-REQ-1: in the ledger before it is written, so that no response can come too early.
        self.outstanding[request_id] = outgoing
        heapq.heappush(self._deadlines, (outgoing.deadline, next(self._order), outgoing))
        core.outbox.adds.append(outgoing)
        return outgoing

    def cancel(self, outgoing: Outgoing, now: float, status: str = "cancelled", reason: str = "cancelled") -> None:
        if outgoing.state == "finished":
            return
        known = outgoing.entry_id
        self._advance(outgoing, "cancel")
        self._finish(outgoing, Outcome(status, None, reason))
        if known is not None:
            self.core.outbox.clean(None, known, now)
        else:
            self._abandon(outgoing, now)

    # entries

    def knows(self, id: bytes) -> bool:
        return id in self.outstanding

    def response(self, entry: Entry) -> None:
        """The first response to a request that is outstanding (RIPC-REQ-4, RIPC-REQ-5, RIPC-REQ-7)."""
        outgoing = self.outstanding[entry.id]
        self._advance(outgoing, "response")
        status = "fulfilled" if entry.status == FULFILLED else "rejected"
        self._finish(outgoing, Outcome(status, entry.content))

    # time

    def due(self) -> float:
        heap = self._deadlines
        while heap and heap[0][2].state == "finished":
            heapq.heappop(heap)
        return heap[0][0] if heap else NEVER

    def tick(self, now: float) -> None:
        heap = self._deadlines
        while heap and heap[0][0] <= now:
            outgoing = heapq.heappop(heap)[2]
            if outgoing.state == "finished":
                continue
            if outgoing.state == "looking":
                self._advance(outgoing, "limit")
                self._timed_out(outgoing, now)
                continue
            was = outgoing.state
            if was == "sending":
                outgoing.floor = self._floor(outgoing)
            self._advance(outgoing, "deadline")
            if was == "queued":
                self._timed_out(outgoing, now)
                continue
            if self.core.state is not UP or self.core.without("rule5"):
                self._advance(outgoing, "connection lost")
                self._timed_out(outgoing, now)
                continue
            self._looking[outgoing.id] = outgoing
            heapq.heappush(heap, (now + self.core.settings.last_look_limit, next(self._order), outgoing))
        if len(heap) > 2 * len(self.outstanding) + 1000:
            self._deadlines = [item for item in heap if item[2].state != "finished"]
            heapq.heapify(self._deadlines)
        if self._looking and not self._look_running:
            self._look(now)

    def connected(self, now: float) -> None:
        """Connected again: what was given up meanwhile can be looked for."""
        if self._abandoned and not self._look_running:
            self._look(now)

    def connection_lost(self, now: float) -> None:
        """Nothing can be looked up now: what was looking ends as timed out."""
        self._look_running = False
        for outgoing in list(self._looking.values()):
            self._advance(outgoing, "connection lost")
            self._timed_out(outgoing, now)

    def close(self, reason: str, now: float) -> None:
        for outgoing in list(self.outstanding.values()):
            self.cancel(outgoing, now, "closed", reason)

    # parts

    def _advance(self, outgoing: Outgoing, event: str) -> None:
        outgoing.state = SENT[outgoing.state, event]

    def _finish(self, outgoing: Outgoing, outcome: Outcome) -> None:
        """The state is ``finished`` already; the ledger and whoever waits learn it."""
        self.outstanding.pop(outgoing.id, None)
        self._looking.pop(outgoing.id, None)
        self.core.queue.append(Finished(outgoing, outcome))

    def _timed_out(self, outgoing: Outgoing, now: float) -> None:
        if outgoing.entry_id is not None:
            # RIPC-TIME-5, RIPC-TIME-10: repeated until it worked, for a request must not run long after its requester gave up.
            self.core.outbox.clean(None, outgoing.entry_id, now)
            self.core.outbox.cleanup_due = now
        else:
            self._abandon(outgoing, now)
        where = ""
        if outgoing.refusal and not outgoing.entry_id:
            where = f"; Redis refused to store it: {outgoing.refusal}"
        elif not outgoing.entry_id and self.core.state is not UP:
            where = f"; no working connection to Redis: {self.core.trouble}"
        waited = outgoing.deadline - outgoing.sent_at
        self._finish(
            outgoing,
            Outcome("timeout", None, f"no answer from group {outgoing.destination!r} within {waited:g} s{where}"),
        )

    def _add_step(self, items: list[Outgoing]) -> Step:
        core = self.core
        names = core.names
        sent: list[Outgoing] = []
        lines: list[commands.Command] = []
        for outgoing in items:
            if outgoing.state != "queued":
                continue
            self._advance(outgoing, "written")
            sent.append(outgoing)
            # RIPC-ENTRY-3 to 6
            lines.append(
                commands.add(
                    names.stream,
                    build(
                        outgoing.id, names.instance, PENDING, outgoing.text, names.group, outgoing.destination.encode()
                    ),
                )
            )

        def done(answers: list[Any], now: float) -> None:
            for outgoing, reply in zip(sent, answers, strict=True):
                if isinstance(reply, bytes):
                    self._stored(outgoing, reply, now)
                elif isinstance(reply, Failure):
                    self._refused(outgoing, reply, now)
                else:
                    core.fail(Failure("NOGROUP", "NOGROUP the stream is gone"))
                    self._not_stored(outgoing, now)
            if answers and isinstance(answers[-1], bytes):
                core.saw_id(answers[-1], now)
                core.taken()

        def lost(was_sent: bool, now: float) -> None:
            for outgoing in sent:
                if was_sent and not core.without("rule1"):
                    # RIPC-REQ-3: it may be stored; sending it again could run it twice.
                    outgoing.floor, outgoing.refusal = self._floor(outgoing), ""
                    if outgoing.state == "finished":
                        # Looked for as soon as there is a connection again.
                        self._abandoned[outgoing.id] = outgoing
                    else:
                        self._advance(outgoing, "unknown")
                else:
                    self._not_stored(outgoing, now)

        return Step(lines, done, lost)

    def _floor(self, outgoing: Outgoing) -> bytes:
        """Where a last look for a request of unknown entry ID begins: 10 s of slack for what the clocks may differ."""
        return b"%d" % max(0, int((self.core.server_clock(outgoing.sent_at) - 10) * 1000))

    def _stored(self, outgoing: Outgoing, entry_id: bytes, now: float) -> None:
        if outgoing.state == "finished":
            # RIPC-REQ-12: cancelled, timed out or even answered while the reply was on its way.
            outgoing.entry_id = entry_id
            self.core.outbox.clean(None, entry_id, now)
            return
        outgoing.entry_id = entry_id
        self._advance(outgoing, "stored")

    def _not_stored(self, outgoing: Outgoing, now: float) -> None:
        if outgoing.state == "finished":
            return
        self._advance(outgoing, "not stored")
        if outgoing.state == "queued":
            self.core.outbox.adds.append(outgoing)
        else:
            self._timed_out(outgoing, now)

    def _refused(self, outgoing: Outgoing, failure: Failure, now: float) -> None:
        """An error reply says that nothing was stored, so sending it later is no repetition (RIPC-REQ-14)."""
        if outgoing.state == "finished":
            return
        if is_outage(failure):
            self.core.fail(failure)
            self._not_stored(outgoing, now)
        elif is_refusal(failure):
            self.core.refused(failure, now)
            outgoing.refusal = failure.message
            self._not_stored(outgoing, now)
        else:
            self._advance(outgoing, "refused")
            self._finish(outgoing, Outcome("failed", None, f"Redis refused the request: {failure.message}"))

    def _abandon(self, outgoing: Outgoing, now: float) -> None:
        """Given up. Where it may be stored without our knowing, it must be found to be deleted."""
        if outgoing.floor == b"-":
            return
        self._abandoned[outgoing.id] = outgoing
        if self.core.state is UP and not self._look_running:
            self._look(now)

    # the last look

    def _look(self, now: float) -> None:
        """One scan for all that are due: a response may be stored and lie with a dead or deaf member (RIPC-TIME-8, RIPC-TIME-9)."""
        wanted = self._looking | self._abandoned
        start = min((o.entry_id or o.floor for o in wanted.values()), key=replies.id_parts)
        self._look_running = True
        self._look_page(wanted, start, 0)

    def _look_page(self, wanted: dict[bytes, Outgoing], start: bytes, page: int) -> None:
        names = self.core.names

        def done(answers: list[Any], now: float) -> None:
            rows = answers[0] if isinstance(answers[0], list) else []
            for entry_id, raw in rows:
                # Most of a page is other instances' business: not worth taking apart.
                if names.instance in raw:
                    self._looked_at(parse(entry_id, raw), now)
            open_ones = any(o.state == "looking" or o.id in self._abandoned for o in wanted.values())
            if len(rows) == _PAGE and open_ones and page < _PAGES:
                self._look_page(wanted, b"(" + rows[-1][0], page + 1)
                return
            self._look_running = False
            for outgoing in wanted.values():
                outgoing.floor = b"-"
                self._abandoned.pop(outgoing.id, None)
                if outgoing.state == "looking":
                    self._advance(outgoing, "nothing found")
                    self._timed_out(outgoing, now)
            if self._looking or self._abandoned:
                self._look(now)

        def lost(_sent: bool, now: float) -> None:
            self.connection_lost(now)

        self.core.step(Step([("XRANGE", names.stream, start, "+", "COUNT", _PAGE)], done, lost))

    def _looked_at(self, entry: Entry | Malformed, now: float) -> None:
        if isinstance(entry, Malformed) or entry.instance_id != self.core.names.instance:
            return
        own_request = entry.status == PENDING and entry.source_group == self.core.names.group
        if own_request and self._abandoned.pop(entry.id, None) is not None:
            self.core.outbox.clean(None, entry.entry_id, now)
            return
        outgoing = self._looking.get(entry.id)
        if outgoing is None:
            return
        if entry.status == PENDING:
            if outgoing.entry_id is None and own_request:
                outgoing.entry_id = entry.entry_id
        elif entry.destination_group == self.core.names.group:
            self.response(entry)
            self.core.outbox.clean(entry.entry_id, entry.entry_id, now)
