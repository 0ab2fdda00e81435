"""``redisipc watch``: the loop that reads, pairs, filters and shows."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing, nullcontext
from time import monotonic
from typing import IO, Any

from redisipc.cli.exits import OK, USAGE, Problem
from redisipc.cli.look.stream import look, no_stream
from redisipc.cli.options import Given
from redisipc.cli.output import ago, plural
from redisipc.cli.values import count, duration, name
from redisipc.protocol.commands import Failure
from redisipc.protocol.entry import Entry, Malformed, parse
from redisipc.protocol.replies import id_parts, owner_row, starts_of

from . import show, story
from .monitor import Monitor, added
from .pairs import Line, Pairs
from .reader import Reader


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    add = parser.add_argument
    add("--group", "-g", type=name, metavar="GROUP", help="only requests from or to this group")
    add("--event", "-e", type=name, metavar="EVENT", help="only this event of a channel")
    add("--slow", type=duration, metavar="100ms", help="only requests that take at least this time, or get no answer")
    add("--no-content", action="store_true", help="show no contents")
    add("--id", type=name, metavar="ID", help="follow this request; `next` follows the next one on the stream")
    add(
        "--exact",
        action="store_true",
        help="use MONITOR: it misses nothing and shows which instance answers, but it costs Redis more",
    )
    add("--record", metavar="FILE", help="append each entry to FILE, as JSON lines")
    add("--for", type=duration, metavar="10s", dest="seconds", help="end after this time (so does --timeout)")
    add("--count", "-n", type=count, metavar="N", help="end after this many lines")
    parser.epilog = (
        "Without --exact, watch reads the stream like one more reader. It may miss entries that are answered and deleted\n"
        "at once. On Redis 7 or later it says how many it missed. It changes nothing."
    )


def run(given: Given) -> int:
    """Watch until the time is over, the lines are full, or Ctrl-C."""
    if given.id:
        return story.run(given)
    watch = Watch(given)
    with _appended(given.record) if given.record else nullcontext() as file:
        watch.file = file
        try:
            watch.by_monitor() if given.exact else watch.by_reading()
        finally:
            watch.tell_end()
    return OK


def _appended(name: str) -> IO[str]:
    try:
        return open(name, "a", encoding="utf-8")
    except OSError as error:
        raise Problem(USAGE, f"cannot write {name!r} (--record): {error.strerror or error}") from error


class Watch:
    """The state of one run."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.pairs: Pairs = Pairs(given.slow)
        self.file: IO[str] | None = None
        self.lines: int = 0
        self.entries: int = 0
        seconds = given.seconds or given.limit_given
        self._end = monotonic() + seconds if seconds else None
        self._looked_at = monotonic()
        self._missed = 0
        found = look(given.client, given.stream, "")
        if found is None:
            raise no_stream(given.client, given.stream)
        # Redis' clock minus ours.
        self._ahead = 0.0 if found.now is None else found.now - time.time()
        self._know(found.last_id)

    def _know(self, last_id: str) -> None:
        """Requests that are there already, so that their answers find them."""
        rows = self.given.client.ask("XREVRANGE", self.given.stream, last_id, "-", "COUNT", 100)
        for id, fields in reversed(rows):
            self.pairs.known(parse(id, fields), id_parts(id)[0] / 1000)

    @property
    def over(self) -> bool:
        full: bool = self.lines == self.given.args.count
        return full or (self._end is not None and monotonic() >= self._end)

    @property
    def now(self) -> float:
        return time.time() + self._ahead

    def by_reading(self) -> None:
        with closing(Reader(self.given.client, self.given.stream)) as reader:
            if reader.missed is None:
                self.given.out.say("this Redis does not count entries (before 7.0): it cannot say how many it missed")
            try:
                while not self.over:
                    self._take(reader.read(self._pause()))
                    self._tell_missed(reader)
                    self._look_after()
                self._take(reader.finish())
            finally:
                self._tell_missed(reader)

    def by_monitor(self) -> None:
        with closing(Monitor(self.given.client, self.given.stream)) as monitor:
            while not self.over:
                for seen in monitor.read(self._pause()):
                    fields = added(seen.words)
                    if fields is not None:
                        self._entry(parse(b"", fields), seen.at, monitor.who(seen.address))
                self._look_after()

    def _pause(self) -> float:
        left = 0.5 if self._end is None else min(0.5, self._end - monotonic())
        return max(0.001, left)

    def _take(self, rows: list[Any]) -> None:
        for id, fields in rows:
            if fields is not None:
                self._entry(parse(id, fields), id_parts(id)[0] / 1000, "")

    def _entry(self, entry: Entry | Malformed, at: float, by: str) -> None:
        self.entries += 1
        if self.file is not None:
            self.file.write(json.dumps(_recorded(entry, at), ensure_ascii=False) + "\n")
        line = self.pairs.add(entry, at, by)
        if line is not None:
            self._show(line)

    def _show(self, line: Line) -> None:
        given = self.given
        if self.lines == given.count:
            return
        if given.group and given.group not in (line.source, line.destination) and line.kind != "missed":
            return
        if given.event and line.event != given.event:
            return
        if given.slow and "slow" not in line.marks and line.kind == "exchange":
            return
        self.lines += 1
        content = not given.no_content
        if given.out.json:
            given.out.record(show.record(line, content))
        else:
            given.out.line(show.text(given.out, line, content))

    def _look_after(self) -> None:
        """Once a second: who holds what is open for over a second, and whether anybody still wants it."""
        if monotonic() - self._looked_at < 1.0:
            return
        self._looked_at = monotonic()
        now, stream = self.now, self.given.stream
        # Seen by MONITOR, an entry has no ID here.
        old = [each for each in self.pairs.old(now, 1.0) if each.entry.entry_id and not each.gone]
        commands: list[Any] = []
        for each in old:
            id = each.entry.entry_id
            commands += [("XRANGE", stream, id, id), ("XPENDING", stream, each.entry.destination_group, id, id, 1)]
        replies = self.given.client.batch(commands) if commands else []
        for number, each in enumerate(old):
            body, owner = replies[2 * number : 2 * number + 2]
            row = None if isinstance(owner, Failure) else owner_row(owner)
            if row is not None:
                each.starts = max(each.starts, starts_of(row))
            if body == [] and (line := self.pairs.given_up(each, now)) is not None:
                self._show(line)

    def _tell_missed(self, reader: Reader) -> None:
        if reader.missed is None or reader.missed <= self._missed:
            return
        new, self._missed = reader.missed - self._missed, reader.missed
        if self.given.out.json:
            self.given.out.record(show.record(Line("missed", self.now, missed=new)))
        else:
            self.given.out.say(f"missed {plural(new, 'entry', 'entries')}; --exact misses nothing")

    def tell_end(self) -> None:
        """The sum, and what is still open."""
        left = self.pairs.left()
        missed = f", {self._missed} missed" if self._missed else ""
        parts = [f"{plural(self.entries, 'entry', 'entries')}{missed}"]
        if left:
            oldest = self.now - min(each.at for each in left)
            parts.append(f"{plural(len(left), 'request')} without an answer, the oldest {ago(oldest)} old")
        self.given.out.say(", ".join(parts))


def _recorded(entry: Entry | Malformed, at: float) -> dict[str, Any]:
    pairs = (
        entry.fields
        if isinstance(entry, Malformed)
        else [(name.encode(), getattr(entry, name)) for name in Entry._fields if name != "entry_id"]
    )
    fields = [
        [name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")] for name, value in pairs
    ]
    return {"at_ms": round(at * 1000, 3), "entry_id": entry.entry_id.decode() or None, "fields": fields}
