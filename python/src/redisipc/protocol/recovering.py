"""Joins a group, and recovers after a lost connection or a lost group, in a fixed order.

Each is a procedure: it yields commands, gets their replies, and raises ``ProcedureFailed`` if it cannot continue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import commands, replies
from .commands import Command, Failure
from .endpoint_state import EndpointState, Procedure, ProcedureFailed
from .entry import Entry, Malformed, parse
from .events import Incoming
from .inbox import Inbox
from .names import Names
from .ownership import GIVEN_UP, TAKEN_OVER, checked, least_idle, verify
from .redis_errors import GROUP_LOST, NO_MEMORY, OUTAGE, UNKNOWN, class_of
from .registration import Registration
from .replies import PendingEntry
from .responder import Responder
from .restoring import PENDING_PAGE
from .settings import NEVER
from .siblings import Siblings

_BEGINS = 3
"""How often it starts again to create the group, since others may create and lose the stream meanwhile."""


class Recovering:
    """``join`` for the first connection, ``recover`` for each later one, ``relist`` after a read that was lost."""

    def __init__(
        self,
        shared: EndpointState,
        registration: Registration,
        siblings: Siblings,
        responder: Responder,
        inbox: Inbox,
        rename: Callable[[], Names],
    ) -> None:
        self.shared = shared
        self.registration = registration
        self.siblings = siblings
        self.responder = responder
        self.inbox = inbox
        self.reading = False
        """Whether a read of new entries is under way."""
        self._rename = rename

    def join(self) -> Procedure[None]:
        """The group, an instance id that nobody has, both consumers, the registration (RIPC-LIFE-1 to 3)."""
        shared = self.shared
        answers = yield [("TIME",), ("INFO", "server")]
        self._learn_server(answers[0], answers[1])
        names = shared.names
        checked((yield [("XGROUP", "CREATE", names.stream, names.group, "$", "MKSTREAM")]), "BUSYGROUP")
        while True:
            # RIPC-NAME-7, RIPC-NAME-8
            answers = checked((yield [commands.create_consumer(names.stream, names.group, names.dispatcher)]))
            if not self._is_taken(answers[0]):
                break
            names = self._rename()
        yield from self._register([names.consumer], self._join_wakeup())
        answers = checked((yield [("XINFO", "GROUPS", names.stream)]))
        row = replies.group_row(answers[0], names.group)
        if row is None:
            raise ProcedureFailed(
                Failure("NOGROUP", f"NOGROUP the group {names.group.decode()!r} was destroyed meanwhile")
            )
        shared.reads_from(replies.as_bytes(replies.lookup(row, b"last-delivered-id")))

    def _is_taken(self, created: Any) -> bool:
        """Whether another instance has this id already."""
        return bool(created == 0)

    def _join_wakeup(self) -> list[Command]:
        shared = self.shared
        return [("PUBLISH", shared.names.group_wakeup, b"")] if shared.settings.wakeups else []

    def recover(self) -> Procedure[None]:
        """In this order: the group, requests in progress, registration, its own list (RIPC-RECOV-3 to 6)."""
        shared = self.shared
        names = shared.names
        shared.outbox.forget_claims()
        answers = yield [
            ("TIME",),
            ("INFO", "server"),
            ("XINFO", "GROUPS", names.stream),
            ("XINFO", "CONSUMERS", names.stream, names.group),
        ]
        self._learn_server(answers[0], answers[1])
        there = set() if isinstance(answers[3], Failure) else {info.name for info in replies.consumers(answers[3])}
        if not self._has_group(answers[2]):
            yield from self._make_group()
            there = set()
        yield from self._claim_again()
        yield from self._register([name for name in (names.dispatcher, names.consumer) if name not in there], [])
        yield from self.relist()

    def _has_group(self, groups: Any) -> bool:
        """Check before creating: if Redis has no memory, it also refuses to create what exists already."""
        if isinstance(groups, Failure):
            if class_of(groups) in (OUTAGE, UNKNOWN):
                raise ProcedureFailed(groups)
            return False
        return replies.group_row(groups, self.shared.names.group) is not None

    def _make_group(self) -> Procedure[None]:
        """At the last ID that was read, or from the start if the stream is a new one (RIPC-RECOV-8, RIPC-RECOV-9)."""
        shared = self.shared
        names = shared.names
        for _ in range(_BEGINS):
            answers = yield [("XINFO", "STREAM", names.stream)]
            known = self._last_read(answers[0])
            line: Command = ("XGROUP", "CREATE", names.stream, names.group, known)
            answers = yield [(*line, "MKSTREAM") if known == b"0" else line]
            failure = answers[0]
            if not isinstance(failure, Failure) or failure.kind == "BUSYGROUP":
                return
            if class_of(failure) is not GROUP_LOST:
                raise ProcedureFailed(failure)
        raise ProcedureFailed(failure)

    def _last_read(self, about: Any) -> bytes:
        """Where the group begins: found by a look at the stream, never set afterwards (RIPC-RECOV-20)."""
        shared = self.shared
        if isinstance(about, Failure):
            if class_of(about) is not GROUP_LOST:
                raise ProcedureFailed(about)
            last = b"0-0"
        else:
            last = replies.as_bytes(replies.lookup(about, b"last-generated-id"))
        shared.saw_last_id(last)
        # A stream that is gone counts as a new one, even if this endpoint never read from it.
        if isinstance(about, Failure) or replies.id_parts(last) < replies.id_parts(shared.last_read):
            shared.reads_anew()
        return shared.last_read

    def _claim_again(self) -> Procedure[None]:
        """Early, so that no member reclaims it; only what is still ours (RIPC-RECOV-5, RIPC-GROUP-11, RIPC-RESP-14)."""
        shared, responder = self.shared, self.responder
        held = [incoming for incoming in shared.inflight.values() if not incoming.stranded]
        for incoming in [each for each in shared.inflight.values() if each.stranded and each.state == "unsure"]:
            # Its request is gone, so no look can show whether the answer was written.
            responder.lost(incoming, GIVEN_UP)
        if not held:
            return
        verdict = yield from verify(shared, held, anew=True)
        for incoming in verdict.ours:
            if incoming.state == "unsure":
                responder.answers.not_written(incoming, shared.now)
        for incoming in verdict.lost:
            responder.lost(incoming, TAKEN_OVER)
        for incoming in verdict.gone:
            # An answer with an unknown outcome was written.
            shared.outbox.clean(incoming.entry_id, None, shared.now)
            responder.lost(incoming, GIVEN_UP)

    def _register(self, missing: list[bytes], more: list[Command]) -> Procedure[None]:
        """Create missing consumers, register, and find the other members."""
        shared = self.shared
        names = shared.names
        lines = [commands.create_consumer(names.stream, names.group, name) for name in missing]
        first = len(lines)
        lines += [*self.registration.lines(), *more, ("XINFO", "CONSUMERS", names.stream, names.group)]
        answers = yield lines
        registered = shared.sent_at
        self._check_registration(answers, first, bool(more))
        if (
            isinstance(answers[first + 2], (int, bytes)) and not isinstance(answers[first + 4], Failure)
        ) or shared.singly:
            self.registration.registered(registered)
        else:
            # The list may be lost: no request is sent before Redis confirms that it exists (RIPC-RECOV-6).
            self.registration.registered(-NEVER)
        found = [] if isinstance(answers[-1], Failure) else answers[-1]
        instances = list(self.siblings.instances(found))
        questions = [line for instance in instances for line in self.siblings.questions(instance)]
        said = (yield questions) if questions else []
        self.siblings.learn(instances, said, shared.now)

    def _check_registration(self, answers: list[Any], first: int, wakeup: bool) -> None:
        if isinstance(answers[first], Failure) and answers[first].kind == "NOPERM":
            # RIPC-RESP-26: MULTI itself is refused, and EXEC with it; Redis executed the commands between them.
            self.shared.multi_refused()
            answers[first + 4] = None
        for reply in answers:
            failure = replies.first_failure([reply])
            if failure is None or failure.kind in ("NOPERM", "EXECABORT") or class_of(failure) is NO_MEMORY:
                # Without memory LPUSH is refused: we still read our own responses, and try again soon (RIPC-RECOV-6).
                continue
            # A MULTI that is not allowed makes EXEC fail as well: the first refusal says why.
            raise ProcedureFailed(replies.first_failure(answers) or failure)
        if wakeup and isinstance(answers[-2], Failure) and answers[-2].kind == "NOPERM":
            self.shared.outbox.wakeups = False

    # its own list

    def relist(self) -> Procedure[None]:
        """A lost reply leaves its entries in its own list, and ``>`` never shows them again (RIPC-RECOV-3).

        XPENDING and XRANGE, not XREADGROUP from 0, which would count as a delivery and so as a start (RIPC-GROUP-20).
        """
        shared = self.shared
        names = shared.names
        start = b"-"
        shared.breakers.due = NEVER
        suspected: dict[bytes, PendingEntry] = {}
        while True:
            answers = checked(
                (yield [commands.pending_of(names.stream, names.group, names.dispatcher, PENDING_PAGE, start)])
            )
            rows = list(replies.pending_entries(answers[0]))
            known = self._known()
            found = {row.id: row for row in rows if row.idle < commands.GIVEN_BACK_FROM_MS and row.id not in known}
            fresh = [found.pop(id) for id in shared.breakers.trusted(found)]
            suspected |= found
            for first in range(0, len(fresh), shared.sizes.count(PENDING_PAGE)):
                yield from self._route(fresh[first : first + shared.sizes.count(PENDING_PAGE)])
            if len(rows) < PENDING_PAGE:
                break
            start = b"(" + rows[-1].id
        yield from self._read_suspected(suspected)

    def _read_suspected(self, rows: dict[bytes, PendingEntry]) -> Procedure[None]:
        """Their bodies may break the connection: each is read alone, after all others (RIPC-RECOV-28)."""
        breakers = self.shared.breakers
        for id in breakers.alone(rows, self.shared.now):
            yield from self._route([rows[id]])
        breakers.later(rows)

    def _known(self) -> set[bytes]:
        """Entries that we hold or will acknowledge, delete or give back. Redis does not know that yet."""
        shared = self.shared
        outbox = shared.outbox
        returned = (incoming.entry_id for incoming in outbox.returned)
        handed = (id for ids in outbox.handed.values() for id in ids)
        return {*shared.inflight, *outbox.acknowledge, *outbox.delete, *returned, *handed}

    def _route(self, rows: list[PendingEntry]) -> Procedure[None]:
        """Claimed before they are routed: another member may be about to claim idle ones (RIPC-RECOV-19)."""
        shared = self.shared
        bodies = checked((yield [commands.one(shared.names.stream, row.id) for row in rows]))
        there: dict[bytes, tuple[PendingEntry, Entry | Malformed]] = {}
        for row, body in zip(rows, bodies, strict=True):
            if body:
                there[row.id] = (row, parse(row.id, body[0][1]))
            else:
                shared.outbox.clean(row.id, None, shared.now)
        if not there:
            return
        kept = yield from self._claim(there)
        known = self._known()
        for id, (row, entry) in there.items():
            if id in kept and id not in known:
                if self.reading:
                    self.inbox.relisted.add(id)
                starts = replies.starts_of(row)
                self.inbox.take(entry, shared.now, kept[id], starts, row.deliveries > 1)

    def _claim(self, there: dict[bytes, tuple[PendingEntry, Entry | Malformed]]) -> Procedure[dict[bytes, float]]:
        """Those that are ours, with the moment since which they are claimed; what the reply lacks is looked at (RIPC-GROUP-32)."""
        shared = self.shared
        names = shared.names
        by_idle: dict[int, list[bytes]] = {}
        for row, _ in there.values():
            by_idle.setdefault(least_idle(row.idle), []).append(row.id)
        answers = checked(
            (
                yield [
                    commands.keep(names.stream, names.group, names.dispatcher, ids, idle)
                    for idle, ids in sorted(by_idle.items())
                ]
            )
        )
        kept = {id: shared.sent_at for reply in answers for id in reply}
        missing = []
        for id, (row, entry) in there.items():
            if id not in kept and isinstance(entry, Entry):
                one = Incoming(id, entry.id, entry.instance_id, entry.source_group, b"", shared.now)
                one.starts = replies.starts_of(row)
                missing.append(one)
        if missing:
            verdict = yield from verify(shared, missing, anew=True)
            kept |= {one.entry_id: one.kept_at for one in verdict.ours}
        return kept

    def _learn_server(self, time: Any, info: Any) -> None:
        shared = self.shared
        if not isinstance(time, Failure):
            shared.saw_time(time, shared.now)
        elif time.kind != "NOPERM":
            # Without the right to TIME, only limits on the age of requests have no effect.
            raise ProcedureFailed(time)
        if isinstance(info, Failure):
            return
        text = info.decode("utf-8", "replace") if isinstance(info, bytes) else str(info)
        for line in text.splitlines():
            if line.startswith("redis_version:"):
                major, minor = line.partition(":")[2].split(".")[:2]
                shared.server_version = (int(major), int(minor))
