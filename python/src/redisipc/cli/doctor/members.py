"""Groups and instances: who lives, who is silent, who is registered wrongly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from redisipc.cli.look import instances
from redisipc.cli.look.hosts import group_in, instance_in
from redisipc.cli.look.instances import Instance
from redisipc.cli.look.stream import Group
from redisipc.cli.output import ago, plural
from redisipc.protocol.commands import GIVE_BACK_IDLE_MS, Failure
from redisipc.protocol.names import Names, instance_of
from redisipc.protocol.replies import id_parts

from .finding import MOST_IDS, NOTE, PROBLEM, WARNING, Facts, Finding, command

DELETED_AFTER = 120.0
"""Seconds after which another member may delete a consumer (RIPC-LIFE-23)."""


def groups(facts: Facts) -> list[Group]:
    return facts.found.groups if facts.found else []


def ahead(facts: Facts) -> Iterator[Finding]:
    """A group that was made at an ID in the future, or whose stream was made again."""
    for group in groups(facts):
        assert facts.found is not None
        if id_parts(group.last_read.encode()) > id_parts(facts.found.last_id.encode()):
            yield Finding(
                "group-ahead", PROBLEM,
                f"group {group.name!r} has read up to {group.last_read}, the stream is at {facts.found.last_id}",
                "The group gets nothing until the stream's IDs pass that one.",
                "Set the group back to the stream's last entry.",
                (command("XGROUP", "SETID", facts.stream, group.name, facts.found.last_id),), group.name,
            )  # fmt: skip


def nobody(facts: Facts) -> Iterator[Finding]:
    """A group without a living instance."""
    for group in groups(facts):
        if any(each.alive for each in group.instances):
            continue
        waits = _requests(facts, group.name)
        seen = f"last seen {ago(group.last_seen)} ago" if group.last_seen is not None else "it has no consumers"
        yield Finding(
            "nobody-alive", PROBLEM if waits or _silent(group) else WARNING,
            f"group {group.name!r} has no living instance ({seen}); {plural(len(waits), 'request')} for it in the stream",
            "Its requests wait until somebody of the group connects, or until their requesters give up.",
            "Start a process of this group. If nobody needs the group any more, destroy it.",
            (command("XGROUP", "DESTROY", facts.stream, group.name),), group.name,
        )  # fmt: skip


def _requests(facts: Facts, group: str) -> list[str]:
    kept = facts.swept.kept if facts.swept else []
    name = group.encode("utf-8", "surrogateescape")
    return [each.id for each in kept if each.kind in ("waits", "runs") and each.entry.destination_group == name]


def _silent(group: Group) -> bool:
    return any(each.state == "silent" for each in group.instances)


def silent(facts: Facts) -> Iterator[Finding]:
    """A paused, hung, cut off or crashed instance."""
    for group in groups(facts):
        for each in group.instances:
            if each.state == "silent":
                yield _silence(facts, group, each)


def _silence(facts: Facts, group: Group, each: Instance) -> Finding:
    links = facts.connections(each.id)
    if links:
        hosts = ", ".join(sorted({row.get("addr", "").rpartition(":")[0] for row in links}))
        state = f"its connections from {hosts} are open: the process is paused (SIGSTOP, debugger, frozen container) or hung"
        mend = "Look at the process there: continue it (kill -CONT) or restart it."
    elif each.announced is not None:
        state, mend = "it has no connection any more: it crashed, or is cut off", "Restart the process."
    else:
        state, mend = (
            "a gem does not name its connections, so nobody can see whether they are open",
            "Restart the process.",
        )
    key = Names.of(facts.stream, group.name, each.id).registration
    held = f", holds {plural(each.pending, 'entry', 'entries')}" if each.pending else ""
    return Finding(
        "silent-instance", PROBLEM,
        f"{group.name}/{each.id} ({each.label}) is registered and gave no sign of life for {ago(each.seen)}{held}; {state}",
        "An instance refreshes its registration at least every 10 s. Redis still gives requests to a silent one, "
        "which others take over 10 s later: such a request gets no answer in time.",
        f"{mend} If it is gone for good, take its registration away; it expires after 100 s by itself.",
        (command("DEL", key),), group.name, each.id,
    )  # fmt: skip


def dead(facts: Facts) -> Iterator[Finding]:
    """Consumers that nobody uses: with pending entries (GEM-6), and without."""
    for group in groups(facts):
        for each in group.instances:
            if each.state == "gone" and each.pending:
                yield _holds(facts, group, each)
            elif each.state == "gone" and each.idle is not None and each.idle > DELETED_AFTER:
                names = [consumer.name for consumer in each.consumers]
                yield Finding(
                    "dead-consumers", NOTE, f"{group.name}/{each.id} is gone and left {plural(len(names), 'consumer')}",
                    "A gem leaves its consumers behind (GEM-33). A port deletes them after 120 s; a gem at its next connect.",
                    "Nothing has to be done. To tidy up, delete them.",
                    tuple(command("XGROUP", "DELCONSUMER", facts.stream, group.name, name) for name in names),
                    group.name, each.id,
                )  # fmt: skip


def _holds(facts: Facts, group: Group, each: Instance) -> Finding:
    pending = (facts.swept.pending if facts.swept else {}).get(group.name, [])
    commands = []
    for consumer in each.consumers:
        ids = [row.id for row in pending if row.consumer == consumer.name][:MOST_IDS]
        if ids:
            marks = ("IDLE", str(GIVE_BACK_IDLE_MS), "JUSTID")
            commands.append(command("XCLAIM", facts.stream, group.name, consumer.name, "0", *ids, *marks))
    return Finding(
        "dead-holds-pending", PROBLEM,
        f"{group.name}/{each.id} is gone (not used for {ago(each.seen)}) and holds {plural(each.pending, 'entry', 'entries')}",
        "A gem that connects deletes every consumer idle for over 30 s with its pending entries: these requests are lost then "
        "(GEM-6). A living port takes them after 10 s.",
        "Start a process of the group. Or mark them as given back: any living member takes them within seconds.",
        tuple(commands), group.name, each.id,
    )  # fmt: skip


def registration(facts: Facts) -> Iterator[Finding]:
    """RIPC-LIFE-9: a list that names consumers which the group lacks."""
    for group in groups(facts):
        have = {each.name.decode("utf-8", "replace") for each in group.consumers}
        known = {each.id for each in group.instances}
        listed = {each.id: each.listed or [] for each in group.instances}
        listed.update({id: names for id, names in _lists(facts, group.name).items() if id not in known})
        for id, names in listed.items():
            for name in names:
                if name not in have or name.startswith("dispatcher_"):
                    key = Names.of(facts.stream, group.name, id).registration
                    yield Finding(
                        "registered-without-consumer", PROBLEM,
                        f"the list of {group.name}/{id} names {name!r}, which the group does not have as a consumer of responses",
                        "Siblings hand responses over to it, and nobody reads them there.",
                        "Take the name off the list; a living instance registers again within 10 s.",
                        (command("LREM", key, "0", name),), group.name, id,
                    )  # fmt: skip


def _lists(facts: Facts, group: str) -> dict[str, list[str]]:
    """Availability lists by instance, found by their keys: an instance may have lost all its consumers."""
    found: dict[str, list[str]] = {}
    prefix = f"{facts.stream}:{group}:"
    pattern = "".join(f"\\{each}" if each in "*?[]\\" else each for each in prefix) + "*:consumers"
    cursor: bytes | int = 0
    for _ in range(200):
        [reply] = facts.client.batch([("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)])
        if isinstance(reply, Failure):
            facts.skipped.append("lists without consumers: no right to SCAN")
            return found
        for key in reply[1]:
            id = key.decode("utf-8", "replace")[len(prefix) : -len(":consumers")]
            names = facts.client.ask("LRANGE", key, 0, -1, least=False)
            if ":" not in id and isinstance(names, list):
                found[id] = [name.decode("utf-8", "replace") for name in names]
        cursor = reply[0]
        if cursor == b"0":
            break
    return found


def unregistered(facts: Facts) -> Iterator[Finding]:
    """An instance that reads and whose list is gone: responses cannot be handed to it (RIPC-LIFE-12)."""
    for group in groups(facts):
        for each in group.instances:
            if (
                each.state == "alive"
                and not each.registered
                # Itself: others use a dead dispatcher as well, when they give back what it holds.
                and any(c.name[:9] == b"consumer_" and c.idle <= instances.UNUSED for c in each.consumers)
            ):
                yield Finding(
                    "unregistered", WARNING, f"{group.name}/{each.id} uses its consumers and has no availability list",
                    "A response that a sibling reads cannot be handed to it. Its send runs into its timeout, or the last look "
                    "finds it. A port registers again within 10 s; a gem does not (GEM-28).",
                    "Look again in 15 s. A gem has to be restarted.", (), group.name, each.id,
                )  # fmt: skip


def no_handler(facts: Facts) -> Iterator[Finding]:
    """All who live in the group only ask, and requests for it are there."""
    for group in groups(facts):
        living = [each for each in group.instances if each.alive]
        waits = _requests(facts, group.name)
        if living and waits and not any(each.serves for each in living):
            yield Finding(
                "no-handler", PROBLEM,
                f"group {group.name!r}: {plural(len(waits), 'request')} for it; none of its {len(living)} instances has a handler",
                "An instance without @on_request only asks. With no responding sibling it rejects.",
                "Start a process of this group that has a handler.", (), group.name,
            )  # fmt: skip


def only_askers(facts: Facts) -> Iterator[Finding]:
    """Somebody lives here, and nobody of all groups answers."""
    living = {group.name: [each for each in group.instances if each.alive] for group in groups(facts)}
    here = [name for name, instances in living.items() if instances]
    if here and not any(each.serves for instances in living.values() for each in instances):
        yield Finding(
            "nobody-answers", WARNING, f"all who live here only ask: {', '.join(map(repr, here))}; no instance has a handler",
            "Every request ends without an answer. The programs that answer do not run, or they use another Redis, database or "
            "stream. The gem reads REDIS_HOST and REDIS_PORT, not REDIS_URL.",
            "Start them. If they run, give doctor their values, and it looks there, too: "
            "REDIS_HOST=... REDIS_PORT=... redisipc doctor",
        )  # fmt: skip


def shared_id(facts: Facts) -> Iterator[Finding]:
    """RIPC-NAME-5: two that read under one name."""
    names = Counter(row.get("name", "") for row in facts.clients)
    for name, number in names.items():
        group, instance = group_in(name, facts.stream), instance_in(name)
        if number < 2 or not group or not instance or not name.endswith(":read"):
            continue
        places = [row.get("addr", "?") for row in facts.clients if row.get("name") == name]
        yield Finding(
            "shared-instance-id", PROBLEM, f"{number} connections read as {group}/{instance}: from {', '.join(places)}",
            "Two processes use one instance id: each takes the other's responses. A fork after connect does this, "
            "or random numbers that a fork copied.",
            "Connect after the fork. End one of the processes: one whose connection alone is closed connects again.",
            (), group, instance,
        )  # fmt: skip


def foreign(facts: Facts) -> Iterator[Finding]:
    """Consumers whose names nobody of ours has."""
    for group in groups(facts):
        for each in group.consumers:
            if instance_of(each.name) is None:
                name = each.name.decode("utf-8", "replace")
                yield Finding(
                    "foreign-consumer", WARNING if each.pending else NOTE,
                    f"group {group.name!r} has a consumer {name!r} with {plural(each.pending, 'pending entry', 'pending entries')}",
                    "It is not a RedisIPC consumer. No member of the group gets what it reads.",
                    "Find who reads there. If nobody does, delete it.",
                    (command("XGROUP", "DELCONSUMER", facts.stream, group.name, each.name),), group.name,
                )  # fmt: skip


CHECKS = [ahead, nobody, silent, dead, registration, unregistered, no_handler, only_askers, shared_id, foreign]
