"""``redisipc watch --id ID``: one request's way, step by step, with the time between."""

from __future__ import annotations

from contextlib import closing
from time import monotonic
from typing import Any

from redisipc.cli.exits import NOBODY, OK, TIMEOUT, Problem
from redisipc.cli.look.stream import fields as named
from redisipc.cli.look.stream import no_stream
from redisipc.cli.options import Given
from redisipc.cli.output import ago, clock, safe, shown
from redisipc.protocol.commands import Failure
from redisipc.protocol.content import decode
from redisipc.protocol.entry import PENDING, Entry, parse
from redisipc.protocol.names import instance_of
from redisipc.protocol.replies import id_parts, owner_row, seconds, starts_of

from .monitor import Monitor, Seen, added
from .pairs import event_of

SETTLED = 1.5
"""Seconds after an answer in which it is collected (RIPC-ROUTE-13 allows 1)."""


def run(given: Given) -> int:
    """Follow it until its answer is collected, it is given up, or --for or --timeout is over (default: 60 s)."""
    follower = Story(given)
    try:
        with closing(Monitor(given.client, given.stream)) as monitor:
            follower.follow(monitor)
    except Problem as problem:
        if "NOPERM" not in str(problem):
            raise
        given.out.say("MONITOR is refused: the steps are polled, so that short ones are missed")
        follower.follow(None)
    return follower.status()


class Story:
    """All that is known of the exchange so far."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.request: Entry | None = None
        self.answer_id: Any = b""
        self.answered_at: float | None = None
        self.over: bool = False
        self._by_look = False
        self._wanted: bytes | None = None if given.id == "next" else given.id.encode("utf-8", "surrogateescape")
        self._owner = b""
        self._answer_owner = b""
        self._last_at: float | None = None
        self._starts = 0
        about = given.client.ask("XINFO", "STREAM", given.stream, least=False)
        if isinstance(about, Failure):
            if "no such key" in about.message:
                raise no_stream(given.client, given.stream)
            raise given.client.refused(about)
        self._from: bytes = named(about)["last-generated-id"]
        if self._wanted is not None:
            self._search(b"-")

    def status(self) -> int:
        if self.request is None:
            what = "no request came" if self._wanted is None else f"the request {self._wanted.decode()} did not come"
            raise Problem(
                NOBODY, f"{what}, and is not in the stream: its entry is deleted once it is answered or given up"
            )
        return OK if self.answered_at is not None else TIMEOUT

    def follow(self, monitor: Monitor | None) -> None:
        end = monotonic() + (self.given.seconds or getattr(self.given.args, "timeout", None) or 60.0)
        while not self.over and monotonic() < end:
            if monitor is not None:
                for seen in monitor.read(0.002 if self._busy else 0.05):
                    self._seen(seen, monitor)
            else:
                self._search(b"(" + self._from)
            if self.request is not None and not self.over and not self._poll() and not self.over:
                self._hear(monitor)
                self._vanished()

    def _hear(self, monitor: Monitor | None) -> None:
        """Its body is gone. MONITOR says why, and by whom, in what it has still to tell; a look finds the rest."""
        until = monotonic() + 0.3
        while monitor is not None and not self.over and self.answered_at is None and monotonic() < until:
            for seen in monitor.read(0.05):
                self._seen(seen, monitor)
        if not self.over and self.answered_at is None:
            self._search(b"(" + self._from)

    @property
    def _busy(self) -> bool:
        return self.request is not None and not self._owner

    # found by a look

    def _search(self, start: bytes) -> None:
        """The request, and its answer, among the entries of the stream."""
        rows = self.given.client.ask("XRANGE", self.given.stream, start, "+", "COUNT", 1000)
        for id, raw in rows:
            entry = parse(id, raw)
            if not isinstance(entry, Entry):
                continue
            at = id_parts(id)[0] / 1000
            if entry.status == PENDING and self.request is None and self._is_wanted(entry):
                self._stored(entry, at)
            elif self.request is not None and entry.status != PENDING and entry.id == self.request.id:
                self.answer_id = id
                if self.answered_at is None:
                    self._answered(entry, at, "")
                    self._by_look = True
        if rows:
            self._from = rows[-1][0]

    def _is_wanted(self, entry: Entry) -> bool:
        if self._wanted is not None:
            return entry.id == self._wanted
        given = self.given
        groups = (entry.source_group.decode("utf-8", "replace"), entry.destination_group.decode("utf-8", "replace"))
        return (not given.group or given.group in groups) and (not given.event or event_of(entry) == given.event)

    def _poll(self) -> bool:
        """Who holds it. Returns False where it is gone and no answer was seen."""
        request, client, stream = self.request, self.given.client, self.given.stream
        assert request is not None
        if not request.entry_id:
            self._find_ids()
            request = self.request
            assert request is not None
            if not request.entry_id:
                return False
        id, group = request.entry_id, request.destination_group
        owner, body, time = client.batch(
            [("XPENDING", stream, group, id, id, 1), ("XRANGE", stream, id, id), ("TIME",)]
        )
        now = seconds(time) if not isinstance(time, Failure) else id_parts(id)[0] / 1000
        row = None if isinstance(owner, Failure) else owner_row(owner)
        if row is not None:
            self._held(row.consumer, starts_of(row), row.deliveries, now)
        if self.answered_at is not None and self.answer_id:
            [left] = client.batch([("XRANGE", stream, self.answer_id, self.answer_id)])
            if left == []:
                self._collected(now, "")
            elif now - self.answered_at > SETTLED * 10:
                self._step(now, "the answer was not collected: its requester is away, or has given up")
                self.over = True
        return body != [] or self.answered_at is not None

    def _vanished(self) -> None:
        """It is gone, and neither an answer nor its deletion was seen."""
        if self.over or self.answered_at is not None:
            return
        text = "deleted, and no answer was seen: its requester gave up, or the answer was collected at once"
        self._step(self._now(), text)
        self.over = True

    def _now(self) -> float:
        return seconds(self.given.client.ask("TIME"))

    def _find_ids(self) -> None:
        """MONITOR shows entries without their IDs."""
        assert self.request is not None
        rows = self.given.client.ask("XREVRANGE", self.given.stream, "+", "-", "COUNT", 200)
        for id, raw in rows:
            entry = parse(id, raw)
            if isinstance(entry, Entry) and entry.id == self.request.id:
                if entry.status == PENDING:
                    self.request = entry
                else:
                    self.answer_id = id

    def _held(self, consumer: bytes, starts: int, deliveries: int, now: float) -> None:
        if consumer != self._owner:
            word = "read by" if not self._owner else "taken over by"
            more = f", start {starts}" if starts > 1 else ""
            self._step(now, f"{word} {self._name(consumer)}{more}")
            self._owner = consumer
        elif deliveries > self._starts and self._starts and starts > 1:
            self._step(now, f"delivered again to {self._name(consumer)}, start {starts}")
        self._starts = deliveries

    # seen by MONITOR

    def _seen(self, seen: Seen, monitor: Monitor) -> None:
        words = seen.words
        name = words[0].upper()
        if name == b"XADD":
            fields = added(words)
            entry = parse(b"", fields) if fields else None
            if not isinstance(entry, Entry):
                return
            if entry.status == PENDING and self.request is None and self._is_wanted(entry):
                self._stored(entry, seen.at)
                self._find_ids()
            elif self.request is not None and entry.status != PENDING and entry.id == self.request.id:
                self._answered(entry, seen.at, monitor.who(seen.address))
                self._find_ids()
                if not self.answer_id:
                    # Deleted before this look.
                    self._collected(self._now(), "")
        elif self.request is not None:
            self._acted(name, words, seen, monitor)

    def _acted(self, name: bytes, words: list[bytes], seen: Seen, monitor: Monitor) -> None:
        request = self.request
        assert request is not None
        if name == b"XCLAIM" and len(words) > 3:
            if request.entry_id and request.entry_id in words and words[3] != self._owner:
                back = ", given back" if b"IDLE" in [each.upper() for each in words] else ""
                self._step(seen.at, f"claimed by {self._name(words[3])}{back}")
                self._owner = words[3]
            elif self.answer_id and self.answer_id in words and words[3] != self._answer_owner:
                self._answer_owner = words[3]
                self._step(seen.at, f"the answer is handed over to {self._name(words[3])}")
        elif name == b"XDEL" and self.answer_id and self.answer_id in words:
            self._collected(seen.at, monitor.who(seen.address))
        elif name == b"XDEL" and request.entry_id and request.entry_id in words and self.answered_at is None:
            who = monitor.who(seen.address)
            self._step(seen.at, f"given up: deleted by {who or 'its requester'}")
            self.over = True

    # steps

    def _stored(self, entry: Entry, at: float) -> None:
        self.request = entry
        event = event_of(entry)
        what = "" if self.given.no_content else f": {shown(decode(entry.content), 120)}"
        groups = f"{_text(entry.source_group)} -> {_text(entry.destination_group)}{f' {safe(event)}' if event else ''}"
        self._step(at, f"stored: {groups}, id {_text(entry.id)}{what}")

    def _answered(self, entry: Entry, at: float, by: str) -> None:
        if self.answered_at is not None:
            if not self._by_look:
                self._step(at, "answered a second time")
            # MONITOR shows later what a look has found.
            self._by_look = False
            return
        self.answered_at = at
        what = "" if self.given.no_content else f": {shown(decode(entry.content), 120)}"
        self._step(at, f"{entry.status.decode()}{f' by {by}' if by else ''}{what}")

    def _collected(self, at: float, by: str) -> None:
        if not self.over:
            self._step(at, f"collected{f' by {by}' if by else ''}: the answer was read and deleted")
        self.over = True

    def _step(self, at: float, text: str) -> None:
        passed = None if self._last_at is None else max(0.0, at - self._last_at)
        self._last_at = at if self._last_at is None else max(at, self._last_at)
        out = self.given.out
        if out.json:
            id = _text(self.request.id) if self.request else None
            elapsed = None if passed is None else round(passed * 1000, 3)
            record: dict[str, Any] = {"kind": "step", "at_ms": round(at * 1000, 3), "marks": [], "request_id": id}
            out.record({**record, "elapsed_ms": elapsed, "text": text})
        else:
            out.line(f"{clock(at)} {'' if passed is None else '+' + ago(passed):>9}  {text}")

    def _name(self, consumer: bytes) -> str:
        instance = instance_of(consumer)
        assert self.request is not None
        return safe(f"{(instance or consumer).decode('utf-8', 'replace')}")


def _text(raw: bytes) -> str:
    return safe(raw.decode("utf-8", "backslashreplace"))
