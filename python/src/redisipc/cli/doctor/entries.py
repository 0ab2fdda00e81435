"""Entries: malformed ones, orphans, old requests, many deliveries, pending entries without a body."""

from __future__ import annotations

from collections.abc import Iterator

from redisipc.cli.look.sweep import ORPHANS, Kept
from redisipc.cli.output import ago, plural
from redisipc.protocol.entry import Malformed
from redisipc.protocol.replies import starts_of

from .finding import MOST_IDS, PROBLEM, WARNING, Facts, Finding, command, listed

OLDEST = 60.0
"""Seconds from which on a request counts as old, where no instance announces a longer timeout."""


def malformed(facts: Facts) -> Iterator[Finding]:
    """RIPC-ROUTE-9 to 11, GEM-1."""
    bad = [each for each in _kept(facts) if isinstance(each.entry, Malformed)]
    if not bad:
        return
    assert facts.swept is not None
    commands = []
    for group, rows in facts.swept.pending.items():
        ids = {each.entry.entry_id for each in bad}
        held = [row.id for row in rows if row.id in ids][:MOST_IDS]
        if held:
            commands.append(command("XACK", facts.stream, group, *held))
    commands.append(command("XDEL", facts.stream, *(each.id for each in bad[:MOST_IDS])))
    first = bad[0].entry
    assert isinstance(first, Malformed)
    yield Finding(
        "malformed", PROBLEM if len(commands) > 1 else WARNING,
        f"{plural(len(bad), 'entry', 'entries')} not of RedisIPC: {listed([each.id for each in bad])}; {first.problem}",
        "Somebody else writes to this stream, or a program adds fields. A gem drops such an entry and keeps it pending for "
        "ever (GEM-1).",
        "Find who writes them: `redisipc watch --exact` shows them as they come. Then delete them.", tuple(commands),
    )  # fmt: skip


def orphans(facts: Facts) -> Iterator[Finding]:
    """Entries that nobody will take, by class."""
    if facts.swept is None:
        return
    reasons = {
        "request-without-group": "Their senders name a group that does not exist, or named it before it existed.",
        "request-left": "A gem acknowledges what it drops. Or somebody acknowledged them by hand.",
        "response-without-group": "The group that asked was destroyed.",
        "response-left": "Their requesters are gone: a gem leaves what it cannot hand over (GEM-4).",
        "response-to-caller": "The callers gave up or died before the answer came. Members do not delete such answers.",
    }
    for kind, kept in facts.swept.orphans().items():
        if kind == "malformed":
            continue
        groups = sorted({each.entry.destination_group.decode("utf-8", "replace") for each in kept})
        named = "" if kind == "response-to-caller" else f" ({listed(groups)})"
        yield Finding(
            f"orphan-{kind}", WARNING,
            f"{len(kept)} x {ORPHANS[kind]}{named}, the oldest {ago(max(each.age for each in kept))} old",
            f"{reasons[kind]} They keep their memory until somebody deletes them.",
            "Delete them, or let a janitor delete what is older than a day (the option janitor_age).",
            (command("XDEL", facts.stream, *(each.id for each in kept[:MOST_IDS])),),
        )  # fmt: skip


def old(facts: Facts) -> Iterator[Finding]:
    """Requests that are older than any timeout in use."""
    groups = facts.found.groups if facts.found else []
    told = [each.announced.get("timeout_ms") for group in groups for each in group.instances if each.announced]
    limit = max([OLDEST, *(2 * each / 1000 for each in told if isinstance(each, int))])
    late = [each for each in _kept(facts) if each.kind in ("waits", "runs") and each.age > limit]
    for kind, word in (("waits", "waits"), ("runs", "is held")):
        for group in sorted({each.entry.destination_group for each in late if each.kind == kind}):
            own = [each for each in late if each.kind == kind and each.entry.destination_group == group]
            name = group.decode("utf-8", "surrogateescape")
            ids = [each.id for each in own[:MOST_IDS]]
            acks = (command("XACK", facts.stream, name, *ids),) if kind == "runs" else ()
            owners = sorted({each.pending.consumer.decode("utf-8", "replace") for each in own if each.pending})
            yield Finding(
                "old-request", WARNING,
                f"group {name!r}: {plural(len(own), 'request')} that {word} for over {ago(limit)}, the oldest {ago(own[0].age)} old"
                + (f", by {listed(owners)}" if owners else ""),
                "Nobody waits for so long by default: the requester is gone, or its handler hangs.",
                "If nobody waits for them any more, delete them.", (*acks, command("XDEL", facts.stream, *ids)), name,
            )  # fmt: skip


def deliveries(facts: Facts) -> Iterator[Finding]:
    """Requests that were started more than once."""
    for each in _kept(facts):
        row = each.pending
        if each.kind == "runs" and row is not None and row.deliveries > 3:
            group = each.entry.destination_group.decode("utf-8", "surrogateescape")
            yield Finding(
                "many-deliveries", WARNING,
                f"group {group!r}: request {each.id} was started {plural(starts_of(row) - 1, 'time')} before; held by "
                f"{row.consumer.decode('utf-8', 'replace')}",
                "The instance that ran it crashed, was paused, or is a gem and ran it for over 10 s. The third start is "
                "the last one (RIPC-GROUP-18).",
                "Look at the handler and at its content. To drop the request:",
                (command("XACK", facts.stream, group, each.id), command("XDEL", facts.stream, each.id)), group,
            )  # fmt: skip


def bodiless(facts: Facts) -> Iterator[Finding]:
    """GEM-11."""
    old_redis = facts.info.get("redis_version", "7").startswith("6.")
    for group, rows in (facts.swept.bodiless if facts.swept else {}).items():
        ids = [row.id.decode() for row in rows]
        gems = facts.found.group(group) if facts.found else None
        stalls = old_redis and gems is not None and any(each.announced is None for each in gems.instances)
        yield Finding(
            "bodiless-pending", PROBLEM if stalls else WARNING,
            f"group {group!r}: {plural(len(ids), 'pending entry', 'pending entries')} whose body is gone: {listed(ids)}",
            "Their requesters gave up and deleted them. On Redis 6.2 such an entry stalls a gem's consumer for ever (GEM-11).",
            "Acknowledge them.", (command("XACK", facts.stream, group, *ids[:MOST_IDS]),), group,
        )  # fmt: skip


def _kept(facts: Facts) -> list[Kept]:
    return facts.swept.kept if facts.swept else []


CHECKS = [malformed, orphans, old, deliveries, bodiless]
