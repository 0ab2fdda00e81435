"""The traffic that doctor watches (``--for``): events only some members have, members without a handler, overload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from time import monotonic

from redisipc.cli.exits import Problem
from redisipc.cli.output import plural
from redisipc.cli.watch.monitor import Monitor, added
from redisipc.cli.watch.pairs import Pairs
from redisipc.cli.watch.reader import Reader
from redisipc.protocol.content import decode
from redisipc.protocol.entry import FULFILLED, parse
from redisipc.protocol.replies import id_parts

from .finding import PROBLEM, WARNING, Facts, Finding

UNSUPPORTED = "Unsupported event. Given "


class Tally:
    """How one event of one group was answered, and by whom where that is known."""

    def __init__(self) -> None:
        self.fulfilled = 0
        self.runs: set[str] = set()
        self.refused: dict[str, int] = defaultdict(int)
        self.refusers: dict[str, set[str]] = defaultdict(set)


class Observed:
    """The tallies by group and event; requests outside a channel have the event None."""

    def __init__(self) -> None:
        self.pairs: Pairs = Pairs()
        self.tallies: dict[tuple[str, str | None], Tally] = defaultdict(Tally)
        self.entries: int = 0

    def add(self, fields: list[bytes], id: bytes, at: float, by: str) -> None:
        self.entries += 1
        line = self.pairs.add(parse(id, fields), at, by)
        if line is None or line.response is None or line.request is None:
            return
        tally = self.tallies[line.destination, line.event]
        if line.response.status == FULFILLED:
            tally.fulfilled += 1
            tally.runs.add(by)
            return
        reason = decode(line.response.content)
        word = _word(reason if isinstance(reason, str) else "")
        if word:
            tally.refused[word] += 1
            tally.refusers[word].add(by)
        else:
            # A refusal of the handler's own: it has the event.
            tally.runs.add(by)


def _word(reason: str) -> str:
    if reason.startswith(UNSUPPORTED):
        return "unsupported_event"
    word, colon, _ = reason.partition(": ")
    return word if colon and word in ("no_handler", "overloaded", "given_up") else ""


def observe(facts: Facts, seconds: float) -> None:
    """Watch for so long: by MONITOR, which shows who answers, or as one more reader."""
    seen = facts.observed = Observed()
    end = monotonic() + seconds
    try:
        with closing(Monitor(facts.client, facts.stream)) as monitor:
            while (left := end - monotonic()) > 0:
                for each in monitor.read(left):
                    if (fields := added(each.words)) is not None:
                        seen.add(fields, b"", each.at, monitor.who(each.address))
    except Problem as problem:
        if "NOPERM" not in str(problem):
            raise
        facts.skipped.append("who answers: no right to MONITOR")
        with closing(Reader(facts.client, facts.stream)) as reader:
            while (left := end - monotonic()) > 0:
                for id, fields in reader.read(min(0.5, left)):
                    if fields is not None:
                        seen.add(fields, id, id_parts(id)[0] / 1000, "")


def events(facts: Facts) -> Iterator[Finding]:
    """An event that some members of a group have and others refuse."""
    for (group, event), tally in _tallies(facts).items():
        number = tally.refused.get("unsupported_event", 0)
        if not number or event is None:
            continue
        who = _who(tally.refusers["unsupported_event"])
        if tally.runs:
            yield Finding(
                "event-refused-by-some", PROBLEM,
                f"group {group!r}: event {event!r} was refused {plural(number, 'time')} as unsupported{who}, and run "
                f"{plural(tally.fulfilled, 'time')}{_who(tally.runs)}",
                "Each member answers what it takes. One that lacks an event refuses it whenever Redis gives it the request.",
                "Add the event to that member, or stop the member. All members of a group need the same events.",
                (), group, next(iter(tally.refusers["unsupported_event"] - {""}), None),
            )  # fmt: skip
        else:
            yield Finding(
                "event-unsupported", WARNING,
                f"group {group!r}: event {event!r} was refused {plural(number, 'time')} as unsupported{who}",
                "No member that answered has it. Names are compared byte by byte.",
                "Compare the event's name on both sides.", (), group,
            )  # fmt: skip


def refusals(facts: Facts) -> Iterator[Finding]:
    """The requests that endpoints rejected by themselves."""
    texts = {
        "no_handler": ("member-without-handler", "It has no @on_request, and no responding sibling was registered.",
                       "Give that process a handler, or another group's name."),
        "overloaded": ("overloaded", "More requests wait there than max_queue allows.",
                       "Start more processes, raise concurrency, or ask less at once."),
        "given_up": ("given-up", "It was started three times and never answered: its handler crashes the process.",
                     "Look at that handler's log."),
    }  # fmt: skip
    for (group, event), tally in _tallies(facts).items():
        for word, (code, why, mend) in texts.items():
            if number := tally.refused.get(word, 0):
                what = f" of event {event!r}" if event else ""
                seen = (
                    f"group {group!r}: {plural(number, 'request')}{what} rejected as {word}{_who(tally.refusers[word])}"
                )
                instance = next(iter(tally.refusers[word] - {""}), None)
                yield Finding(code, PROBLEM, seen, why, mend, (), group, instance)


def _tallies(facts: Facts) -> dict[tuple[str, str | None], Tally]:
    return {} if facts.observed is None else dict(facts.observed.tallies)


def _who(instances: set[str]) -> str:
    known = sorted(instances - {""})
    return f" by {', '.join(known)}" if known else ""


CHECKS = [events, refusals]
