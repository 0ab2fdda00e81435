"""The traffic that doctor watches (``--for``): events only some members have, members without a handler, overload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from time import monotonic

from redisipc.cli.exits import Problem
from redisipc.cli.output import plural
from redisipc.cli.watch.monitor import Monitor, added
from redisipc.cli.watch.pairs import Pairs
from redisipc.cli.watch.reader import Reader
from redisipc.protocol.content import decode
from redisipc.protocol.entry import FULFILLED, parse
from redisipc.protocol.reasons import ReasonCode, read
from redisipc.protocol.replies import id_parts

from .finding import PROBLEM, WARNING, Facts, Finding

OWN = {
    ReasonCode.UNSUPPORTED_EVENT, ReasonCode.INVALID_PARAMS, ReasonCode.HANDLER_FAILED, ReasonCode.NO_HANDLER,
    ReasonCode.OVERLOADED, ReasonCode.GIVEN_UP,
}  # fmt: skip
"""The codes of refusals that show how members differ. All others are the handler's own: it has the event."""
CHANCE = 3
"""A member that fails fewer times than this, and never succeeds, may have had only requests that are wrong."""


class Tally:
    """How one event of one group was answered, and by whom where that is known."""

    def __init__(self) -> None:
        self.fulfilled = 0
        self.runs: set[str] = set()
        self.refused: dict[str, int] = defaultdict(int)
        self.refusers: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))


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
        code = read(decode(line.response.content))[0]
        if code in OWN:
            tally.refused[code] += 1
            tally.refusers[code][by] += 1
        else:
            tally.runs.add(by)


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
        try:
            _read_beside(facts, seen, end)
        except Problem as second:
            if "NOPERM" not in str(second):
                raise
            facts.observed = None
            facts.skipped.append("the traffic: no right to MONITOR, and none to XREAD")
        else:
            facts.skipped.append("who answers: no right to MONITOR")


def _read_beside(facts: Facts, seen: Observed, end: float) -> None:
    """Read the stream as one more reader, until ``end``."""
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
                (), group, _first(tally.refusers["unsupported_event"]),
            )  # fmt: skip
        else:
            yield Finding(
                "event-unsupported", WARNING,
                f"group {group!r}: event {event!r} was refused {plural(number, 'time')} as unsupported{who}",
                "No member that answered has it. Names are compared byte by byte.",
                "Compare the event's name on both sides.", (), group,
            )  # fmt: skip


def versions(facts: Facts) -> Iterator[Finding]:
    """Members of one group that need other parameters than their siblings, or that alone fail."""
    for (group, event), tally in _tallies(facts).items():
        what = f"event {event!r}" if event else "requests"
        runs = f"and run {plural(tally.fulfilled, 'time')}{_who(tally.runs)}"
        strict = _apart(tally, "invalid_params", 1)
        if strict:
            yield Finding(
                "params-refused-by-some", PROBLEM,
                f"group {group!r}: {what} refused {plural(sum(strict.values()), 'time')} for its parameters{_who(strict)}, {runs}",
                "The members have two versions of the event, which need other parameters.",
                "Bring all members of the group to one version. Until then, send what both take.",
                (), group, _first(strict),
            )  # fmt: skip
        failing = _apart(tally, "handler_failed", CHANCE)
        if failing:
            yield Finding(
                "handler-fails-in-some", PROBLEM,
                f"group {group!r}: {what} failed {plural(sum(failing.values()), 'time')} in the handler{_who(failing)}, {runs}",
                "These members fail at each such request and their siblings do not: they have another version, or lack "
                "a setting, a file or a database.",
                "Read the log of that member: it has the exception. Compare its version and its settings with a sibling's.",
                (), group, _first(failing),
            )  # fmt: skip


def _apart(tally: Tally, code: str, least: int) -> dict[str, int]:
    """The known members that refuse so at least ``least`` times and never run it, where another one does."""
    found = tally.refusers.get(code, {}) if tally.runs - {""} else {}
    return {who: number for who, number in found.items() if who and who not in tally.runs and number >= least}


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
                yield Finding(code, PROBLEM, seen, why, mend, (), group, _first(tally.refusers[word]))


def _tallies(facts: Facts) -> dict[tuple[str, str | None], Tally]:
    return {} if facts.observed is None else dict(facts.observed.tallies)


def _who(instances: Iterable[str]) -> str:
    known = sorted(set(instances) - {""})
    return f" by {', '.join(known)}" if known else ""


def _first(instances: Iterable[str]) -> str | None:
    return next((each for each in instances if each), None)


CHECKS = [events, versions, refusals]
