"""The part that ``send`` and ``call`` share: asking once or often, and showing how each request ended."""

from __future__ import annotations

import argparse
from time import monotonic, sleep
from typing import Any, NamedTuple

from redisipc.cli.exits import FOUND, NOBODY, OK, REDIS
from redisipc.cli.options import Given
from redisipc.cli.output import ago, plural, safe, shown
from redisipc.cli.redis.client import advice
from redisipc.cli.values import count, pace
from redisipc.protocol.content import decode
from redisipc.protocol.events import Outcome, Outgoing
from redisipc.protocol.names import check_name
from redisipc.protocol.reasons import MALFORMED_EVENT

from .converse import Asker
from .why import Why, why


class Asked(NamedTuple):
    """One request and how it ended."""

    outgoing: Outgoing
    outcome: Outcome
    elapsed: float
    status: int
    reason: Why | None


def add_asking(parser: argparse.ArgumentParser) -> None:
    """Options of both commands."""
    parser.add_argument(
        "--count", "-n", type=count, default=1, metavar="N", help="how many requests, one after the other"
    )
    parser.add_argument("--rate", type=pace, default=0.0, metavar="N", help="with --count: the most requests a second")
    parser.add_argument("--raw", action="store_true", help="print the content as Redis has it, undecoded")
    parser.add_argument(
        "--wait", action="store_true", help="if the group does not exist yet, wait for it until the timeout"
    )


def ask_all(given: Given, content: bytes, to: str, event: str | None = None) -> int:
    """Ask ``--count`` times. The exit status is the worst one."""
    check_name("group", to)
    asker = Asker(given.client, given.stream, early_end=not given.wait)
    endings: dict[str, int] = {}
    begin, worst, channel = monotonic(), OK, False
    try:
        for number in range(given.count):
            if given.rate > 0:
                sleep(max(0.0, begin + number / given.rate - monotonic()))
            asked = _ask(given, asker, content, to)
            worst = max(worst, asked.status)
            endings[asked.outcome.status] = endings.get(asked.outcome.status, 0) + 1
            _tell(given, asked, event)
            channel = channel or _by_a_channel(asked.outcome)
            if asked.status == REDIS:
                break
    finally:
        asker.close()
        if given.count > 1:
            parts = ", ".join(f"{number} {status}" for status, number in endings.items()) or "none ended"
            given.out.say(f"{plural(given.count, 'request')}: {parts}, in {ago(monotonic() - begin)}")
    if given.count > 1 and endings.get("fulfilled") and endings.get("rejected"):
        given.out.say(
            "some were fulfilled and some rejected: perhaps a member of the group lacks what another one has; "
            f"run `redisipc doctor --for 10s` beside this command, or `redisipc watch --exact --group {to}`"
        )
    if channel and event is None:
        given.out.say(f"{safe(to)} is a channel: `redisipc call {safe(to)} EVENT name=value` triggers an event of it")
    return worst


def _by_a_channel(outcome: Outcome) -> bool:
    """Whether a channel rejected the request, since its content is not an event."""
    return outcome.status == "rejected" and (outcome.content or b"").startswith(MALFORMED_EVENT.encode())


def _advised(reason: str, refusal: str) -> str:
    more = advice(refusal)
    return reason if more in reason else f"{reason}{more}"


def _ask(given: Given, asker: Asker, content: bytes, to: str) -> Asked:
    outgoing, outcome = asker.ask(content, to, given.timeout)
    elapsed = monotonic() - outgoing.sent_at
    if outcome.status == "fulfilled":
        return Asked(outgoing, outcome, elapsed, OK, None)
    if outcome.status == "rejected":
        return Asked(outgoing, outcome, elapsed, FOUND, None)
    reason = why(given.client, given.stream, to)
    if reason.code == "no_right" and outcome.status == "no responders":
        # The request's own look needs fewer rights.
        reason = Why("no_such_group", outcome.reason, NOBODY)
    if outcome.status == "failed" and (outgoing.refusal or reason.code != "no_stream"):
        return Asked(
            outgoing, outcome, elapsed, REDIS, Why("failed", _advised(str(outcome.reason), outgoing.refusal), REDIS)
        )
    status = NOBODY if outcome.status == "no responders" else reason.status
    return Asked(outgoing, outcome, elapsed, status, reason)


def _tell(given: Given, asked: Asked, event: str | None) -> None:
    out, outcome = given.out, asked.outcome
    answered = outcome.content is not None
    if out.json:
        out.record(_record(given, asked, event))
        return
    if answered:
        assert outcome.content is not None
        _print_content(given, outcome.content)
    who = asked.outgoing.destination
    times = f"in {ago(asked.elapsed)} by {safe(who)}" if answered else f"after {ago(asked.elapsed)}"
    style = {"fulfilled": "green", "rejected": "red"}.get(outcome.status, "yellow")
    about = f": {asked.reason.text}" if asked.reason else ""
    if outcome.status == "timeout":
        about = f" (no answer from {safe(who)}){about}"
    out.say(f"{out.paint_talk(outcome.status, style)} {times}{about}")


def _print_content(given: Given, content: bytes) -> None:
    if given.raw:
        given.out.content(content.decode("utf-8", "backslashreplace"))
        return
    value = decode(content)
    # A string as it is, for shells; all else as JSON.
    given.out.content(value if isinstance(value, str) else shown(value, 1 << 60))


def _record(given: Given, asked: Asked, event: str | None) -> dict[str, Any]:
    outcome = asked.outcome
    record: dict[str, Any] = {
        "request_id": asked.outgoing.id.decode(),
        "group": asked.outgoing.destination,
        "event": event,
        "status": outcome.status.replace(" ", "_"),
        "elapsed_ms": round(asked.elapsed * 1000, 3),
    }
    if outcome.content is not None:
        text = outcome.content.decode("utf-8", "replace")
        record["content"] = text if given.raw else decode(outcome.content)
    else:
        record["diagnosis"] = {"code": asked.reason.code, "text": asked.reason.text} if asked.reason else None
    return record
