"""The commands that the testee sent, as the tap of an endpoint saw them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..context import notes
from ..context.failure import SuiteFault
from ..context.fence_traffic import visible
from ..context.objects import Mark, NamedObject
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import Matcher, beyond, differs, show
from ..scenario.model import Step
from ..wire.keys import keys_of
from ..wire.pattern import Pattern
from ..wire.tap import Exchange
from .registry import word
from .waiting import Look, expect, held, missing, wrong


def pattern_of(context: ScenarioContext, written: Any) -> Pattern:
    """The text is split before names are replaced, so a name with spaces stays one argument.

    A name alone stands for a whole pattern.
    """
    if isinstance(written, str) and written.startswith("${") and " " not in written:
        return Pattern.of(str(context.value(written)))
    words = written.split() if isinstance(written, str) else written
    made = [context.value(each) for each in words]
    return Pattern.of([str(each) if isinstance(each, bool) else each for each in made])


def patterns_of(context: ScenarioContext, written: Any) -> list[Pattern]:
    """One pattern as a string, or a list of them. A list of plain words that is one pattern begins with a command."""
    if isinstance(written, str):
        return [pattern_of(context, written)]
    several = all(isinstance(each, list) or (isinstance(each, str) and " " in each.strip()) for each in written)
    if several or (all(isinstance(each, str) and _command_like(each) for each in written) and len(written) > 1):
        return [pattern_of(context, each) for each in written]
    return [pattern_of(context, written)]


def _command_like(text: str) -> bool:
    return text.split()[:1] != [] and text.split()[0].isupper() and text.split()[0].isalpha()


class Commands:
    """The commands that one expectation looks at."""

    def __init__(self, context: ScenarioContext, arguments: dict[str, Any]) -> None:
        self.context = context
        self.label = str(context.value(arguments["of"]))
        if self.label not in context.taps:
            raise SuiteFault(f"{self.label!r} is not an endpoint that has connected")
        self.since = _moment(context, arguments["since"]) if "since" in arguments else 0.0
        self.replied = bool(arguments.get("replied"))

    def all(self) -> list[Exchange]:
        exchanges = visible(self.context.taps[self.label].exchanges, self.context.noise)
        return [
            e
            for e in exchanges
            if (not self.since or self.context.wall(e.sent) >= self.since) and (not self.replied or e.done)
        ]

    def like(self, pattern: Pattern) -> list[Exchange]:
        return [e for e in self.all() if pattern.matches(e.args)]

    def shown(self) -> str:
        """The commands that were sent instead, except the many that only wait and read."""
        quiet = (b"XREADGROUP", b"PING", b"HELLO", b"CLIENT", b"AUTH", b"SELECT", b"SUBSCRIBE")
        told = [notes.command(e.args)[:160] for e in self.all() if e.name not in quiet]
        return "; ".join(told[-8:]) or "nothing but reads"


def _moment(context: ScenarioContext, label: Any) -> float:
    return float(getattr(context.named(label, Mark, NamedObject), "at", 0.0))


@word("commands")
async def commands(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    seen = Commands(context, arguments)
    looks: list[Callable[[], Look]] = []
    if "has" in arguments:
        wanted = patterns_of(context, arguments["has"])
        looks.append(lambda: _has(seen, wanted))
    if "none" in arguments:
        unwanted = patterns_of(context, arguments["none"])
        looks.append(lambda: _none(seen, unwanted))
    if "order" in arguments:
        order = [pattern_of(context, each) for each in arguments["order"]]
        looks.append(lambda: _order(seen, order))
    if "multi" in arguments:
        members = [pattern_of(context, each) for each in arguments["multi"]]
        only = bool(arguments.get("only"))
        looks.append(lambda: _multi(seen, members, only))
    if arguments.get("one_key"):
        looks.append(lambda: _one_key(seen))
    if looks:
        return await expect(context, step, "settle", lambda: _all(looks))
    if "like" not in arguments:
        raise SuiteFault("commands: needs has, none, order, multi, one_key, or like with count or every")
    pattern = pattern_of(context, arguments["like"])
    if "every" in arguments:
        return await _every(context, step, seen, pattern)
    if "count" not in arguments:
        raise SuiteFault("commands: `like` needs `count` or `every`")
    count = context.expected(arguments["count"])
    return await expect(context, step, "settle", lambda: _count(seen, pattern, count))


def _all(looks: Sequence[Callable[[], Look]]) -> Look:
    """Holds if each of them holds. A final failure is reported first."""
    seen = [look() for look in looks]
    return next((look for look in seen if look.final), next((look for look in seen if not look.held), seen[0]))


def _has(seen: Commands, wanted: Sequence[Pattern]) -> Look:
    """Its value is the moment at which the last of them was sent for the first time."""
    moments = []
    for pattern in wanted:
        found = seen.like(pattern)
        if not found:
            return missing(f"{seen.label} did not send {pattern}", str(pattern), seen.shown())
        moments.append(seen.context.wall(found[0].sent))
    return held(Mark(max(moments)))


def _none(seen: Commands, unwanted: Sequence[Pattern]) -> Look:
    for pattern in unwanted:
        found = seen.like(pattern)
        if found:
            sent = notes.command(found[0].args)
            return wrong(f"{seen.label} sent {sent[:200]}", f"no {pattern}", sent, final=True, culprit=found[0])
    return held()


def _count(seen: Commands, pattern: Pattern, wanted: Any) -> Look:
    found = seen.like(pattern)
    if differs(wanted, len(found)) is None:
        return held(len(found))
    too_many = isinstance(wanted, int) and len(found) > wanted
    what = "commands" if str(pattern) == "..." else f"commands like {pattern}"
    message = f"{seen.label} sent {len(found)} {what}; expected {show(wanted)}"
    told = "; ".join(notes.command(e.args)[:160] for e in found[-5:]) or seen.shown()
    culprit = found[-1] if found else None
    return Look(False, None, message, show(wanted), told, final=too_many, nothing=not found, culprit=culprit)


def _order(seen: Commands, order: Sequence[Pattern]) -> Look:
    everything = seen.all()
    at = 0
    last: Exchange | None = None
    for pattern in order:
        found = next((i for i in range(at, len(everything)) if pattern.matches(everything[i].args)), None)
        if found is None:
            early = next((e for e in everything if pattern.matches(e.args)), None)
            expected = ", then ".join(map(str, order))
            if early is None:
                return missing(f"{seen.label} did not send {pattern}", expected, seen.shown())
            before = notes.command(last.args)[:160] if last else ""
            message = f"{seen.label} sent {notes.command(early.args)[:160]} too early"
            return wrong(message, expected, f"it came before {before}", culprit=early)
        last, at = everything[found], found + 1
    return held()


def _multi(seen: Commands, members: Sequence[Pattern], only: bool) -> Look:
    transactions = [e for e in seen.all() if e.name == b"EXEC"]
    for transaction in transactions:
        if _fits(transaction.members, members, only):
            return held()
    expected = "MULTI: " + ", ".join(map(str, members)) + (", nothing else" if only else "")
    loose = next((e for e in seen.all() if any(p.matches(e.args) for p in members)), None)
    near = max(
        transactions, key=lambda t: sum(any(p.matches(m.args) for m in t.members) for p in members), default=None
    )
    told = "MULTI: " + ", ".join(notes.command(m.args)[:120] for m in near.members) if near else "no MULTI at all"
    message = f"{seen.label} did not send these in one MULTI"
    if loose is None:
        return missing(message, expected, told)
    return wrong(message, expected, told, culprit=loose)


def _one_key(seen: Commands) -> Look:
    """Nothing was sent that touches two keys, the commands of one MULTI taken together."""
    everything = seen.all()
    if not everything:
        return missing(f"{seen.label} sent nothing", "commands, each with one key at most", "nothing")
    for sent in everything:
        together = sent.members if sent.name == b"EXEC" else (sent,)
        keys = {key for each in together for key in keys_of(each.args)}
        if len(keys) > 1:
            shown = ", ".join(notes.command(each.args)[:120] for each in together)
            told = ", ".join(sorted(key.decode("utf-8", "replace") for key in keys))
            message = f"{seen.label} touched two keys at once: {shown}"
            return wrong(message, "one key for each command and for each MULTI", told, final=True, culprit=sent)
    return held()


def _fits(members: Sequence[Exchange], patterns: Sequence[Pattern], only: bool) -> bool:
    if only and len(members) != len(patterns):
        return False
    at = 0
    for pattern in patterns:
        found = next((i for i in range(at, len(members)) if pattern.matches(members[i].args)), None)
        if found is None:
            return False
        at = found + 1
    return True


async def _every(context: ScenarioContext, step: Step, seen: Commands, pattern: Pattern) -> Any:
    """The gaps between such commands.

    If there is an upper bound, the time before the first and after the last command counts, too.
    """
    wanted = context.expected(step.arguments["every"])
    seconds = float(context.value(step.arguments.get("for", 0)))
    began = seen.since or context.now()
    end = time.monotonic() + seconds
    bounded = isinstance(wanted, Matcher) and "$at_most" in wanted.arguments

    def worst() -> Look | None:
        found = [e for e in seen.like(pattern) if context.wall(e.sent) >= began]
        moments = [context.wall(e.sent) for e in found]
        if bounded:
            moments = [began, *moments, context.now()]
            gaps = list(zip(moments, moments[1:], [*found, found[-1] if found else None], strict=False))
            upper = {"$at_most": wanted.arguments["$at_most"]}
            inner = gaps[1:-1]
            for place, (one, two, at) in enumerate(gaps):
                told = differs(Matcher(upper), two - one)
                if told is not None:
                    # The last gap may last longer: the longer it is, the less a slow machine explains it.
                    over = place < len(gaps) - 1
                    look = wrong(f"{pattern}: a gap of {two - one:.2f} s", show(wanted), told, final=over, culprit=at)
                    look.since, look.over = context.monotonic(one), beyond(wanted, two - one)
                    return look
        else:
            inner = list(zip(moments, moments[1:], found[1:], strict=False))
        for one, two, at in inner:
            told = differs(wanted, two - one)
            if told is not None:
                return wrong(f"{pattern}: a gap of {two - one:.2f} s", show(wanted), told, final=True, culprit=at)
        return None

    while True:
        beat = context.pulse.beats
        told = worst()
        left = end - time.monotonic()
        if told is not None and (told.final or left <= 0):
            raise told.failed(by_timeout=False)
        if left <= 0:
            return None
        context.raise_if_crashed()
        await context.pulse.wait(min(left, 0.25), since=beat)
