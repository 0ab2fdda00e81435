"""One request of a caller: a requester without a group (SPEC.md, section 8a). Pure: time is handed in, nothing waits.

A runtime asks for a ``Turn``, sends its commands on one connection, and reports the replies or the loss. It repeats
this until there is an ``outcome``.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Any, NamedTuple

from . import commands, replies
from .caller_errors import Effect, effect_of
from .commands import Command, Failure
from .diagnosis import of_groups
from .entry import FULFILLED, PENDING, Entry, build, parse
from .events import Outcome, Outgoing
from .names import CALLER
from .outcomes import never_written, not_found, not_looked_for, refused, timed_out
from .redis_errors import PERMANENT, class_of
from .settings import BLOCK, NEVER
from .sizes import Sizes

_CHECK_AFTER = 5.0
"""Seconds until it asks again whether the group exists."""
EARLY_END = 0.5
"""Seconds after the request was stored, before which nobody asks whether its group exists (RIPC-REQ-16); and between two looks."""
_CALLER_PAGE = 100
_LOOK_LIMIT = 0.5
"""Seconds after which a look stops, however many entries follow (RIPC-TIME-8)."""
_REPLY_GRACE = 0.4
"""Seconds beyond the deadline that a reply may take. Then the last look uses a new connection."""
_LATEST = 0.9
"""Seconds after the deadline at which it ends in any case (RIPC-TIME-4 allows 1)."""
_TIDY = 0.5
"""Seconds that a deletion may take once the outcome is known."""
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between attempts to reach Redis."""


class Turn(NamedTuple):
    """The commands to send now, on one connection, with one reply for each command. All times are monotonic seconds.

    ``at``: wait until then, and ask for the turn again. ``due``: when the replies should be there. The connection
    counts as lost if they are overdue and no byte moved for long. ``limit``: when it is given up in any case.
    ``fresh``: the turn needs a new connection, on which nothing was answered before.
    """

    commands: list[Command]
    at: float
    due: float
    limit: float
    fresh: bool


class Call:
    """From the call until its ``outcome``.

    The phases: *writing* (XADD), *finding* (XADD was sent and its reply did not come), *waiting* (XREAD), *looking* (the last
    look), *tidying* (the outcome is known, a deletion is left). ``highest`` is the highest entry ID that was seen.
    """

    def __init__(
        self, stream: bytes, instance: bytes, outgoing: Outgoing, highest: bytes = b"-", early_end: bool = True
    ) -> None:
        self.outgoing = outgoing
        self.outcome: Outcome | None = None
        outgoing.floor = highest
        self.highest: bytes = highest
        self.early_end: bool = early_end
        self._stream = stream
        self._instance = instance
        self._name = CALLER.encode() + instance
        self._phase = "writing"
        self._last = b""
        self._sizes = Sizes()
        self._count = 0
        self._looking_since = 0.0
        self._seen = 0
        self._losses = 0
        self._again_at = 0.0
        self._fresh = False
        self._check_at = NEVER
        self._checking = self._missing = self._asking = False
        # The known outcome. It becomes ``outcome`` once the entry that it leaves is deleted.
        self._decided: Outcome | None = None
        self._otherwise = timed_out(outgoing)
        self._leaves: bytes | None = None
        self._end = outgoing.deadline + _LATEST

    # for the runtime

    def turn(self, now: float) -> Turn | None:
        """The next turn; None when there is an outcome."""
        deadline = self.outgoing.deadline
        if self.outcome is None and now >= self._end:
            self._finish(self._decided or self._late())
        if self.outcome is not None:
            return None
        if self._phase == "writing" and now >= deadline:
            self._finish(never_written(self.outgoing))
            return None
        if self._phase == "waiting" and now >= deadline:
            self._look(now, timed_out(self.outgoing))
        lines, block = self._lines(now)
        limit = min(self._end, deadline + _REPLY_GRACE) if self._phase in ("writing", "waiting") else self._end
        # Never wait past the limit: a cancelled call has half a second, and a pause may be longer.
        at = min(self._again_at, deadline if now < deadline else self._end, limit)
        return Turn(lines, at, max(now, at) + block, limit, self._fresh)

    def replied(self, answers: list[Any], now: float) -> None:
        """The replies to a turn, one for each of its commands."""
        self._losses, self._again_at, self._fresh = 0, now, False
        {
            "writing": self._written,
            "finding": self._find,
            "waiting": self._read,
            "looking": self._looked,
            "tidying": self._tidied,
        }[self._phase](answers, now)

    def lost(self, sent: bool, reason: str, now: float, permanent: bool = False) -> None:
        """There was no connection, or it broke before all replies came.

        ``sent``: the commands, or parts of them, may have reached Redis. ``permanent``: only the user can repair it.
        """
        self.outgoing.refusal = reason
        if permanent:
            self._finish(self._decided or Outcome("failed", None, f"Redis refuses this caller: {reason}"))
        elif self._phase == "writing" and sent:
            # RIPC-ASK-9: the request is never sent again. A look finds out whether it is stored.
            self._phase, self._last = "finding", self.outgoing.floor
            self._begin_look(now)
        elif self._phase in ("looking", "tidying") and self._losses:
            # A new connection has been tried as well.
            self._finish(self._decided or self._late())
        self._away(now)

    def cancel(self, now: float) -> None:
        """The caller no longer waits. A request that may be stored is deleted, if that works soon (RIPC-ASK-6)."""
        if self._decided is None and self.outcome is None:
            self._decided = Outcome("cancelled", None, "cancelled")
            if self.outgoing.entry_id is not None:
                # The response may be there already, and nobody else would delete it.
                self._look(now, self._decided)
            elif self._phase == "writing":
                self._finish(self._decided)
        self._end = min(self._end, now + _TIDY)
        self._losses, self._again_at, self._fresh = 0, now, True

    # what is sent

    def _lines(self, now: float) -> tuple[list[Command], float]:
        stream, outgoing = self._stream, self.outgoing
        if self._phase == "writing":
            # RIPC-ASK-1, RIPC-ASK-2
            fields = build(
                outgoing.id, self._instance, PENDING, outgoing.text, self._name, outgoing.destination.encode()
            )
            return [commands.add(stream, fields)], 0.0
        if self._phase == "tidying":
            assert self._leaves is not None
            return [commands.delete(stream, [self._leaves])], 0.0
        self._count = self._sizes.read_count(_CALLER_PAGE)
        if self._phase == "waiting":
            self._checking = now >= self._check_at
            if self._checking:
                return [("XINFO", "GROUPS", stream)], 0.0
            left = min(outgoing.deadline, self._check_at) - now
            milliseconds = min(int(BLOCK * 1000), max(1, ceil(left * 1000)))
            read: Command = ("XREAD", "COUNT", self._count, "BLOCK", milliseconds, "STREAMS", stream, self._last)
            return [read], milliseconds / 1000
        first = self._last if self._last == b"-" else b"(" + self._last
        page: Command = ("XRANGE", stream, first, "+", "COUNT", self._count)
        if self._phase == "looking" and not self._seen:
            # RIPC-TIME-13: deleted first, so that nobody starts it after the look.
            self._asking = self.early_end and self._otherwise.status == "timeout"
            why: list[Command] = [("XINFO", "GROUPS", stream)] if self._asking else []
            return [commands.delete(stream, [outgoing.entry_id or b""]), page, *why], 0.0
        return [page], 0.0

    # what came

    def _written(self, answers: list[Any], now: float) -> None:
        reply = answers[0]
        if isinstance(reply, bytes):
            self._stored(reply, now)
        elif isinstance(reply, Failure):
            self._error_reply(reply, now, "the request")
        else:
            self._finish(
                Outcome("failed", None, f"there is no stream {self._stream.decode()!r}: nobody ever connected")
            )

    def _stored(self, entry_id: bytes, now: float) -> None:
        # This is the newest entry, even if the stream was created again and its IDs restarted.
        self.outgoing.entry_id = self._last = self.highest = entry_id
        self._phase = "waiting"
        if self.early_end:
            self._check_at = now + EARLY_END

    def _find(self, answers: list[Any], now: float) -> None:
        """RIPC-ASK-9: whether it was stored, and perhaps answered already."""
        if isinstance(answers[0], Failure):
            self._error_reply(answers[0], now, "to look for the request")
            return
        rows = answers[0] or []
        if self._take(rows, now):
            return
        for entry_id, raw in rows:
            entry = parse(entry_id, raw) if self.outgoing.id in raw else None
            if isinstance(entry, Entry) and entry.id == self.outgoing.id and entry.status == PENDING:
                self._stored(entry_id, now)
                if self._decided is not None:
                    self._look(now, self._decided)
                return
        if self._page_over(rows, now):
            self._finish(self._decided or not_found())

    def _read(self, answers: list[Any], now: float) -> None:
        if self._checking:
            self._checked(answers[0], now)
        elif isinstance(answers[0], Failure):
            self._error_reply(answers[0], now, "to read")
        else:
            self._take(replies.read_entries(answers[0]), now)

    def _checked(self, reply: Any, now: float) -> None:
        """RIPC-REQ-16: a group is made behind what is stored, so that it never gets this request."""
        if isinstance(reply, Failure):
            # Without the stream, or without the right, only the timeout ends the request.
            self.early_end = class_of(reply) is not PERMANENT
            self._check_at = now + _CHECK_AFTER if self.early_end else NEVER
            return
        missing = replies.group_row(reply, self.outgoing.destination.encode()) is None
        if missing and self._missing:
            found = of_groups(reply, self.outgoing)
            self._look(now, Outcome("no responders", None, found.text, found.word))
        # Members make a lost group again at once, where they left off. So a second look decides.
        self._missing = missing
        self._check_at = now + (EARLY_END if missing else _CHECK_AFTER)

    def _looked(self, answers: list[Any], now: float) -> None:
        if self._asking:
            # Only the first turn of a look asks for the reason of the missing answer.
            groups, self._asking = answers.pop(), False
            self._otherwise = timed_out(self.outgoing, of_groups(groups, self.outgoing))
            self.early_end = not (isinstance(groups, Failure) and class_of(groups) is PERMANENT)
        rows = [] if isinstance(answers[-1], Failure) else answers[-1] or []
        if not self._take(rows, now) and self._page_over(rows, now):
            self._finish(self._late())

    def _tidied(self, answers: list[Any], now: float) -> None:
        self._finish(self._decided or self._late())

    # parts

    def _take(self, rows: Iterable[Any], now: float) -> bool:
        """Go through entries. True if the response is among them (RIPC-ASK-4, RIPC-REQ-5)."""
        largest = 0
        for entry_id, raw in rows:
            self._last = entry_id
            if len(raw) > 7 and len(raw[7]) > largest:
                largest = len(raw[7])
            # Most entries of a page are for others: parsing them would waste time.
            if self.outgoing.id not in raw or self._instance not in raw:
                continue
            entry = parse(entry_id, raw)
            if isinstance(entry, Entry) and self._is_response(entry):
                self._saw(entry_id)
                status = "fulfilled" if entry.status == FULFILLED else "rejected"
                self._decided = self._decided or Outcome(status, entry.content)
                # RIPC-ASK-5
                self._phase, self._leaves = "tidying", entry_id
                self._end = min(self._end, now + _TIDY)
                return True
        if largest:
            self._sizes.saw(largest)
        if self._last and self._last != b"-":
            self._saw(self._last)
        return False

    def _is_response(self, entry: Entry) -> bool:
        if entry.status == PENDING or entry.destination_group != self._name:
            return False
        return entry.id == self.outgoing.id and entry.instance_id == self._instance

    def _look(self, now: float, otherwise: Outcome) -> None:
        """The last look, and the outcome if it finds nothing."""
        self._phase, self._otherwise = "looking", otherwise
        self._begin_look(now)
        self._end = min(self._end, now + _LATEST)

    def _begin_look(self, now: float) -> None:
        self._looking_since, self._seen = now, 0

    def _page_over(self, rows: list[Any], now: float) -> bool:
        """Whether the look ends with this page (RIPC-TIME-8)."""
        self._seen += len(rows)
        return len(rows) < self._count or now - self._looking_since >= _LOOK_LIMIT

    def _error_reply(self, failure: Failure, now: float, what: str) -> None:
        kind = effect_of(failure)
        self.outgoing.refusal = failure.message
        if kind is Effect.PASSING:
            # A restart, a failover or a moved slot: a new connection may succeed.
            self._away(now)
        elif kind is Effect.HARMLESS:
            self._again_at = now + _PAUSES[0]
        else:
            outcome = self._decided or refused(failure, what)
            if self.outgoing.entry_id is None:
                self._finish(outcome)
            else:
                self._decided, self._phase, self._leaves = outcome, "tidying", self.outgoing.entry_id
                self._end = min(self._end, now + _TIDY)

    def _away(self, now: float) -> None:
        self._again_at = now + _PAUSES[min(self._losses, len(_PAUSES) - 1)]
        self._losses += 1
        self._fresh = True

    def _saw(self, entry_id: bytes) -> None:
        if self.highest == b"-" or replies.id_parts(entry_id) > replies.id_parts(self.highest):
            self.highest = entry_id

    def _finish(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def _late(self) -> Outcome:
        """The outcome if nothing was found."""
        if self._phase == "writing":
            # The process stood still until now.
            return never_written(self.outgoing)
        return not_looked_for(self.outgoing) if self._phase == "finding" else self._otherwise
