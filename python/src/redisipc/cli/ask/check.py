"""``redisipc check GROUP``: a probe. Is the group registered, does somebody live, does nothing wait too long?"""

from __future__ import annotations

import argparse
from time import monotonic
from typing import Any

from redisipc.cli.exits import FOUND, NOBODY, OK, REDIS, TIMEOUT, Problem
from redisipc.cli.look.stream import Group, look, no_group, no_stream
from redisipc.cli.look.waiting import Waiting, waiting
from redisipc.cli.options import Given
from redisipc.cli.output import ago, plural, safe, shown
from redisipc.cli.values import content, duration, number
from redisipc.protocol.content import decode
from redisipc.protocol.names import check_name

from .converse import Asker
from .why import nobody_lives

FORMATS = ("text", "json", "prometheus", "nagios")


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    parser.add_argument("group", metavar="GROUP")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument(
        "--oldest", type=duration, default=30.0, metavar="30s", help="fail if a request waits for longer than this"
    )
    parser.add_argument(
        "--instances", type=number, default=1, metavar="N", help="fail if fewer instances live (default: 1)"
    )
    parser.add_argument(
        "--round-trip", metavar="CONTENT", type=content, help="also send this request; fail unless it is fulfilled"
    )
    parser.add_argument(
        "--any-answer", action="store_true", help="with --round-trip: a rejection is an answer, and does not fail"
    )
    parser.epilog = (
        "Kubernetes:\n  readinessProbe: {exec: {command: [redisipc, check, stock]}}\n\n"
        "It imports no application. nagios: 0 OK, 2 CRITICAL, 3 UNKNOWN, as its plugins do."
    )


class Verdict:
    """The facts, and what is wrong."""

    def __init__(self, group: str) -> None:
        self.group = group
        self.alive = self.silent = 0
        self.waits: Waiting = Waiting(0, 0, None, False)
        self.round_trip: float | None = None
        self.status: int = OK
        self.problems: list[str] = []

    def fail(self, status: int, text: str) -> None:
        self.status = max(self.status, status)
        self.problems.append(text)

    def record(self) -> dict[str, Any]:
        oldest, trip = self.waits.oldest, self.round_trip
        return {
            "group": self.group,
            "ok": self.status == OK,
            "alive": self.alive,
            "silent": self.silent,
            "waiting": self.waits.waiting,
            "running": self.waits.running,
            "oldest_ms": None if oldest is None else round(oldest * 1000),
            "round_trip_ms": None if trip is None else round(trip * 1000, 3),
            "problems": self.problems,
        }


def run(given: Given) -> int:
    """Look, judge, print."""
    check_name("group", given.group)
    verdict = Verdict(given.group)
    form = "json" if given.out.json else given.format
    try:
        _judge(given, verdict)
    except Problem as problem:
        if form in ("text", "json"):
            raise
        verdict.fail(problem.status, str(problem))
    _PRINT[form](given, verdict)
    if form == "nagios" and verdict.status != OK:
        return 3 if verdict.status > NOBODY else 2
    return verdict.status


def _judge(given: Given, verdict: Verdict) -> None:
    found = look(given.client, given.stream, given.group)
    if found is None:
        verdict.fail(NOBODY, str(no_stream(given.client, given.stream)))
        return
    own = found.group(given.group)
    if own is None:
        verdict.fail(NOBODY, no_group(found, given.group))
        return
    verdict.alive = len(own.alive)
    verdict.silent = sum(each.state == "silent" for each in own.instances)
    verdict.waits = waiting(given.client, given.stream, own, found)
    _judge_group(given, verdict, own)
    if given.round_trip is not None:
        _send(given, verdict)


def _judge_group(given: Given, verdict: Verdict, own: Group) -> None:
    if not own.alive:
        verdict.fail(NOBODY, nobody_lives(own))
    elif len(own.alive) < given.instances:
        verdict.fail(FOUND, f"{plural(len(own.alive), 'living instance')}, --instances asks for {given.instances}")
    oldest = verdict.waits.oldest
    if oldest is not None and oldest > given.oldest:
        verdict.fail(FOUND, f"a request is {ago(oldest)} old, --oldest allows {ago(given.oldest)}")


def _send(given: Given, verdict: Verdict) -> None:
    asker, begin = Asker(given.client, given.stream), monotonic()
    try:
        _, outcome = asker.ask(given.round_trip, given.group, given.timeout)
    finally:
        asker.close()
    if outcome.content is not None:
        verdict.round_trip = monotonic() - begin
        if outcome.status == "rejected" and not given.args.any_answer:
            verdict.fail(FOUND, f"round trip: rejected, {shown(decode(outcome.content), 200)}")
    else:
        status = {"no responders": NOBODY, "failed": REDIS}.get(outcome.status, TIMEOUT)
        verdict.fail(status, f"round trip: {outcome.status}, {outcome.reason}")


def _text(given: Given, verdict: Verdict) -> None:
    facts = [
        plural(verdict.alive, "living instance"),
        f"{verdict.waits.waiting} waiting",
        f"{verdict.waits.running} running",
    ]
    if verdict.waits.oldest is not None:
        facts.append(f"oldest {ago(verdict.waits.oldest)}")
    if verdict.round_trip is not None:
        facts.append(f"round trip {ago(verdict.round_trip)}")
    word = given.out.paint("ok", "green") if verdict.status == OK else given.out.paint("not ok", "red")
    given.out.line(f"{safe(verdict.group)}: {word}, {', '.join(facts)}")
    for problem in verdict.problems:
        given.out.line(f"  {problem}")


def _json(given: Given, verdict: Verdict) -> None:
    given.out.record(verdict.record())


def _nagios(given: Given, verdict: Verdict) -> None:
    word = "OK" if verdict.status == OK else "UNKNOWN" if verdict.status > NOBODY else "CRITICAL"
    oldest = "" if verdict.waits.oldest is None else f" oldest={verdict.waits.oldest:.3f}s"
    data = f"alive={verdict.alive} waiting={verdict.waits.waiting} running={verdict.waits.running}{oldest}"
    about = "; ".join(verdict.problems) or plural(verdict.alive, "living instance")
    given.out.line(f"REDISIPC {word} - {safe(verdict.group)}: {about.replace('|', '/')} | {data}")


def _prometheus(given: Given, verdict: Verdict) -> None:
    label = verdict.group.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    stream = given.stream.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    record = verdict.record()
    values = {
        "redisipc_group_ok": int(record["ok"]),
        "redisipc_group_instances_alive": record["alive"],
        "redisipc_group_instances_silent": record["silent"],
        "redisipc_group_requests_waiting": record["waiting"],
        "redisipc_group_requests_running": record["running"],
    }
    if verdict.waits.oldest is not None:
        values["redisipc_group_oldest_request_seconds"] = round(verdict.waits.oldest, 3)
    if verdict.round_trip is not None:
        values["redisipc_group_round_trip_seconds"] = round(verdict.round_trip, 6)
    for problem in verdict.problems:
        given.out.say(f"{safe(verdict.group)}: {problem}")
    for name, value in values.items():
        given.out.line(f"# TYPE {name} gauge")
        given.out.line(f'{name}{{stream="{stream}",group="{label}"}} {value}')


_PRINT = {"text": _text, "json": _json, "nagios": _nagios, "prometheus": _prometheus}
