"""``redisipc ping GROUP``: is anybody there, and who? Looks only: no request is sent."""

from __future__ import annotations

import argparse
from time import monotonic, sleep

from redisipc.cli.exits import NOBODY, OK, Problem
from redisipc.cli.look.hosts import hosts
from redisipc.cli.look.stream import Found, look, no_group, no_stream
from redisipc.cli.options import Given
from redisipc.cli.output import ago, plural, safe, table
from redisipc.protocol.names import check_name

from .why import nobody_lives


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    parser.add_argument("group", metavar="GROUP")
    parser.add_argument("--wait", action="store_true", help="wait until an instance lives, at most --timeout")
    parser.epilog = "It looks at the registrations and sends no request; `check --round-trip` sends one."


def run(given: Given) -> int:
    """Print who is there."""
    check_name("group", given.group)
    end = monotonic() + given.timeout
    while True:
        found, problem = _look(given)
        own = found.group(given.group) if found else None
        if not given.wait or (own is not None and own.alive) or monotonic() >= end:
            break
        sleep(0.2)
    if problem is not None and not given.out.json:
        raise problem
    instances = own.instances if own else []
    where = hosts(given.client)
    there = own is not None and bool(own.alive)
    text = (
        str(problem) if problem else
        no_group(found, given.group) if own is None and found else
        nobody_lives(own) if own and not there else ""
    )  # fmt: skip
    if given.out.json:
        rows = [{**each.as_json(), "host": where.get(each.id)} for each in instances]
        given.out.record({"group": given.group, "there": there, "instances": rows, "text": text or None})
    else:
        order = sorted(instances, key=lambda each: (not each.alive, each.id))
        cells = [
            [safe(each.id), each.state + ("" if each.serves else ", asks only"), safe(each.label), where.get(each.id, ""),
             f"seen {ago(each.seen)} ago"]
            for each in order
        ]  # fmt: skip
        for each, line in zip(order, table(cells), strict=True):
            given.out.line(given.out.paint(line, "" if each.alive else "dim"))
        given.out.say(text or f"{plural(len(own.alive) if own else 0, 'living instance')} in group {safe(given.group)}")
    return OK if there else NOBODY


def _look(given: Given) -> tuple[Found | None, Problem | None]:
    found = look(given.client, given.stream, given.group)
    return found, None if found else no_stream(given.client, given.stream)
