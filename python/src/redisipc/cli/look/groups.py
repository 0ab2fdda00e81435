"""``redisipc groups``: who is on the stream, what waits and runs, and what nobody will take."""

from __future__ import annotations

import argparse
from time import monotonic, sleep
from typing import Any, NamedTuple

from redisipc.cli.exits import OK
from redisipc.cli.options import Given
from redisipc.cli.output import ago, clock, cut, plural, safe, table
from redisipc.cli.values import count, duration, name

from .hosts import hosts
from .stream import Found, Group, look, no_stream
from .sweep import ORPHANS, Sweep, sweep
from .waiting import Waiting, waiting


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    parser.add_argument("--group", "-g", type=name, metavar="GROUP", help="only this group")
    parser.add_argument(
        "--every", type=duration, metavar="1s", help="repeat until Ctrl-C or --timeout, at this interval"
    )
    parser.add_argument("--count", "-n", type=count, metavar="N", help="with --every: how many times")
    parser.epilog = (
        "States: alive; silent (registered, and no sign of life for 12 s); gone (neither registered nor used).\n"
        "A gem announces nothing, and so is shown as 'gem or other'."
    )


class Seen(NamedTuple):
    """One look at everything. ``rate``: entries a second since the look before."""

    found: Found
    swept: Sweep
    waits: dict[str, Waiting]
    where: dict[str, str]
    rate: float | None


def run(given: Given) -> int:
    """Look once, or again and again."""
    before: tuple[float, int] | None = None
    number = 0
    end = monotonic() + given.limit_given if given.limit_given else None
    while True:
        began = monotonic()
        seen = _look(given, before)
        added = seen.found.added
        before = None if added is None else (began, added)
        _show(given, seen)
        number += 1
        if given.every is None or number == given.count or (end is not None and monotonic() + given.every > end):
            return OK
        sleep(max(0.0, began + given.every - monotonic()))


def _look(given: Given, before: tuple[float, int] | None) -> Seen:
    found = look(given.client, given.stream)
    if found is None:
        raise no_stream(given.client, given.stream)
    rate = None
    if before is not None and found.added is not None:
        rate = round(max(0, found.added - before[1]) / max(0.001, monotonic() - before[0]), 1)
    wanted = [each for each in found.groups if given.group in (None, each.name)]
    waits = {each.name: waiting(given.client, given.stream, each, found) for each in wanted}
    return Seen(found, sweep(given.client, found, 1000), waits, hosts(given.client), rate)


def _show(given: Given, seen: Seen) -> None:
    out = given.out
    groups = sorted((each for each in seen.found.groups if each.name in seen.waits), key=lambda each: each.name)
    orphans = sum(map(len, seen.swept.orphans().values()))
    if out.json:
        for group in groups:
            out.record(_record(seen, group, orphans))
        return
    lines = [_head(given, seen, orphans)]
    for group in groups:
        lines += _lines(given, seen, group)
    for kind, entries in seen.swept.orphans().items():
        lines.append(
            out.paint(f"{len(entries)} x {ORPHANS[kind]}, the oldest {ago(max(e.age for e in entries))} old", "yellow")
        )
    if given.every is not None and out.live:
        out.screen(lines)
    else:
        for line in lines:
            out.line(line)


def _head(given: Given, seen: Seen, orphans: int) -> str:
    found, out = seen.found, given.out
    facts = [plural(len(found.groups), "group"), plural(found.length, "entry", "entries")]
    facts.append(f"{'at least ' if seen.swept.more else ''}{plural(orphans, 'orphan')}")
    if seen.rate is not None:
        facts.append(f"{seen.rate:g} entries/s")
    now = f"{clock(found.now)[:8]}  " if given.every is not None and found.now is not None else ""
    return out.paint(cut(f"{now}{safe(found.name)} at {given.client.address}: {', '.join(facts)}", out.width), "bold")


def _lines(given: Given, seen: Seen, group: Group) -> list[str]:
    out, waits = given.out, seen.waits[group.name]
    least = "at least " if waits.more else ""
    facts = [
        plural(len(group.alive), "responder"),
        f"{least}{waits.waiting} waiting",
        f"{least}{waits.running} running",
    ]
    if waits.oldest is not None:
        facts.append(f"oldest {ago(waits.oldest)}")
    lines = ["", out.paint(safe(group.name), "bold") + "  " + ", ".join(facts)]
    order = sorted(group.instances, key=lambda each: (("alive", "silent", "gone").index(each.state), each.id))
    cells = [
        [f"  {safe(each.id)}", each.state, safe(each.label) + ("" if each.serves else ", asks only"),
         seen.where.get(each.id, "-"), f"{each.pending} pending", f"seen {ago(each.seen)} ago"]
        for each in order
    ]  # fmt: skip
    styles = {"alive": "", "silent": "red", "gone": "dim"}
    lines += [
        out.paint(cut(line, out.width), styles[each.state]) for each, line in zip(order, table(cells), strict=True)
    ]
    others = len(group.consumers) - sum(len(each.consumers) for each in group.instances)
    if others:
        lines.append(f"  and {plural(others, 'consumer')} with a name that is not RedisIPC's")
    if not order and not others:
        lines.append(out.paint("  nobody", "dim"))
    return lines


def _record(seen: Seen, group: Group, orphans: int) -> dict[str, Any]:
    waits = seen.waits[group.name]
    return {
        "stream": seen.found.name,
        "group": group.name,
        "alive": len(group.alive),
        "waiting": waits.waiting,
        "running": waits.running,
        "more": waits.more,
        "oldest_ms": None if waits.oldest is None else round(waits.oldest * 1000),
        "pending": group.pending,
        "lag": group.lag,
        "orphans": orphans,
        "rate": seen.rate,
        "instances": [{**each.as_json(), "host": seen.where.get(each.id)} for each in group.instances],
    }
