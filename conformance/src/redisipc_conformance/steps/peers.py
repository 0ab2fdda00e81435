"""The runner's own instances: raw members of a group, played by hand, that keep themselves alive."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from ..scenario.content import encode
from ..scenario.matchers import show
from ..scenario.model import Step
from ..wire import resp
from .entries import entry_of, fits, request_id, where_of
from .failure import Failed, SuiteFault
from .registry import word
from .stage import Stage
from .things import Member, Peer, Written
from .waiting import Look, expect, held, missing, wrong

KEEP_SECONDS = 1.0
LIST_SECONDS = 100
READ_COUNT = 128
BEYOND = "18446744073709551615-0"
"""Reading the own pending list from here on shows and counts nothing, but the consumer was seen. (The greatest ID means `>`.)"""
GIVEN_BACK = 86_400_000
"""Milliseconds of idle time that mark an entry as given back."""


@word("peer")
async def peer(stage: Stage, step: Step) -> Any:
    arguments = stage.value(step.arguments)
    if isinstance(arguments, str):
        arguments = {"name": arguments}
    label = arguments["name"]
    instance = str(arguments.get("instance") or f"{stage.source.getrandbits(24):06x}")
    made = Peer(label, str(arguments.get("group", label)), instance, stage.stream)
    made.consumers = tuple(f"consumer_{instance}_{n}" for n in range(int(arguments.get("consumers", 1))))
    commands: list[tuple[resp.Arg, ...]] = [("XGROUP", "CREATE", stage.stream, made.group, "$", "MKSTREAM")]
    commands += [("XGROUP", "CREATECONSUMER", stage.stream, made.group, c) for c in (made.dispatcher, *made.consumers)]
    replies = await stage.batch(label, commands, errors=True)
    for reply in replies:
        if isinstance(reply, resp.ErrorReply) and reply.kind != "BUSYGROUP":
            raise SuiteFault(f"the peer {label} cannot join: {reply.text}")
    stage.bind(label, made)
    stage.peers.append(made)
    if arguments.get("register", True):
        await register_peer(stage, made)
    if arguments.get("keep", True):
        stage.spawn(_keep(stage, made))
    return made


async def register_peer(stage: Stage, peer: Peer) -> None:
    commands: list[tuple[resp.Arg, ...]] = []
    for consumer in peer.consumers:
        commands += [("LREM", peer.key, 0, consumer), ("LPUSH", peer.key, consumer)]
    await stage.transaction(peer.label, [*commands, ("EXPIRE", peer.key, LIST_SECONDS)])
    peer.registered = True


async def _keep(stage: Stage, peer: Peer) -> None:
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        commands: list[tuple[resp.Arg, ...]] = [
            ("XREADGROUP", "GROUP", peer.group, consumer, "COUNT", 1, "STREAMS", stage.stream, BEYOND)
            for consumer in (peer.dispatcher, *peer.consumers)
        ]
        if peer.registered:
            commands.append(("EXPIRE", peer.key, LIST_SECONDS))
        with contextlib.suppress(Exception):
            await stage.client.batch(commands)


@word("register")
async def register(stage: Stage, step: Step) -> Any:
    await register_peer(stage, stage.thing(step.arguments, Peer))


@word("unregister")
async def unregister(stage: Stage, step: Step) -> Any:
    peer = stage.thing(step.arguments, Peer)
    peer.registered = False
    await stage.batch(peer.label, [("LREM", peer.key, 0, consumer) for consumer in peer.consumers])


# Reading


async def read_one(stage: Stage, peer: Peer) -> Written | None:
    """The next new entry of the peer's group, into its pending list. Others' are acknowledged and passed over."""
    if not peer.fetched and not await _fetch(stage, peer):
        return None
    entry = peer.fetched.popleft()
    note = stage.tell(peer.label, f"read {entry.entry}: {entry.status} {entry.id}")
    note.side = "suite"
    peer.read.add(entry.entry)
    return entry


async def _fetch(stage: Stage, peer: Peer) -> bool:
    """Reads what there is: one entry where the group has other members, who are not to be robbed, else many."""
    shared = any(member.group == peer.group for member in (*stage.endpoints, *stage.peers) if member is not peer)
    count = 1 if shared else READ_COUNT
    while not peer.fetched:
        command = ("XREADGROUP", "GROUP", peer.group, peer.dispatcher, "COUNT", count, "STREAMS", stage.stream, ">")
        reply = await stage.look(*command)
        if isinstance(reply, resp.ErrorReply):
            raise Failed(f"the peer {peer.label} cannot read", "a reply to XREADGROUP", reply.text)
        if not reply:
            return False
        foreign: list[bytes] = []
        for entry_id, flat in reply[0][1]:
            entry = stage.ledger.adopt(stage.stream, entry_id, flat or [], time.monotonic())
            if entry.id in stage.ledger.fences or entry.destination_group != peer.group:
                foreign.append(entry_id)
            else:
                peer.fetched.append(entry)
        if foreign:
            await stage.client.reply("XACK", stage.stream, peer.group, *foreign)
    return True


@word("read")
async def read(stage: Stage, step: Step) -> Any:
    arguments = step.arguments
    peer = stage.thing(arguments["peer"], Peer)
    where = where_of(stage, arguments.get("where"))

    def wanted(entry: Written) -> bool:
        if "of" in arguments:
            target = entry_of(stage, arguments["of"])
            same = target is entry or entry.id == request_id(stage, arguments["of"])
            if not same:
                return False
        return fits(entry, where)

    async def look() -> Look:
        async with peer.reading:
            while True:
                found = next((entry for entry in peer.inbox if wanted(entry)), None)
                if found is not None:
                    if arguments.get("none"):
                        return wrong(
                            f"there is something for {peer.label}", "nothing", found.entry, final=True, culprit=found
                        )
                    peer.inbox.remove(found)
                    return held(found)
                entry = await read_one(stage, peer)
                if entry is None:
                    break
                peer.inbox.append(entry)
        if arguments.get("none"):
            return held()
        seen = "; ".join(f"{e.status} {e.id} {e.text[:60]}" for e in peer.inbox[:3]) or "nothing new in the group"
        return missing(f"nothing came for the peer {peer.label}", f"an entry for {peer.group} {show(where)}", seen)

    return await expect(stage, step, "delivery", look)


@word("handed")
async def handed(stage: Stage, step: Step) -> Any:
    arguments = step.arguments
    peer = stage.thing(arguments["peer"], Peer)
    channel = f"{peer.stream}:{peer.group}:{peer.instance}:wakeup".encode()

    async def look() -> Look:
        found = await _in_list(stage, peer, arguments)
        expected = f"an entry in the pending list of {', '.join(peer.consumers)}"
        if arguments.get("none"):
            return (
                held()
                if found is None
                else wrong(f"something was handed to {peer.label}", "nothing", found.entry, culprit=found)
            )
        if found is None:
            return missing(f"nothing was handed to {peer.label}", expected, "not there")
        if arguments.get("wakeup"):
            woken = any(
                e.name == b"PUBLISH" and e.args[1:2] == [channel] for t in stage.taps.values() for e in t.exchanges
            )
            if not woken:
                return wrong(
                    f"{peer.label} was not woken", f"PUBLISH {channel.decode()}", "no such command", culprit=found
                )
        return held(found)

    return await expect(stage, step, "handover", look)


async def _in_list(stage: Stage, peer: Peer, arguments: dict[str, Any]) -> Written | None:
    target = entry_of(stage, arguments["of"]) if "of" in arguments else None
    id = request_id(stage, arguments["of"]) if "of" in arguments else ""
    for consumer in peer.consumers:
        reply = await stage.look("XPENDING", peer.stream, peer.group, "-", "+", 1000, consumer)
        for row in reply if isinstance(reply, list) else []:
            entry = stage.ledger.get(peer.stream, row[0].decode())
            if entry is not None and ("of" not in arguments or entry is target or (id and entry.id == id)):
                return entry
    return None


# Writing


def _fields(stage: Stage, arguments: dict[str, Any], basis: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The fields of an entry, bent as the step says."""
    if "fields" in arguments:
        return [(name, value) for name, value in stage.value(arguments["fields"])]
    fields: dict[str, Any] = dict(basis)
    fields.update(stage.value(arguments.get("set", {})))
    for name in stage.value(arguments.get("without", [])):
        fields.pop(name, None)
    order = stage.value(arguments.get("order", list(fields)))
    pairs = [(name, fields[name]) for name in order if name in fields]
    pairs += [(name, value) for name, value in fields.items() if name not in order]
    pairs += list(stage.value(arguments.get("extra", {})).items())
    pairs += [(name, fields[name]) for name in stage.value(arguments.get("twice", []))]
    return pairs


def _raw(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return resp.to_bytes(value)


def _content(stage: Stage, arguments: dict[str, Any]) -> Any:
    if "text" in arguments:
        return stage.value(arguments["text"])
    content = stage.value(arguments.get("content"))
    return content if isinstance(content, bytes) else encode(content)


@word("add")
async def add(stage: Stage, step: Step) -> Any:
    arguments = step.arguments
    if "answer" in arguments:
        return await _answer(stage, arguments)
    if "fields" in arguments:
        who = stage.thing(arguments["from"], Member).label if "from" in arguments else "runner"
        return await write(stage, who, arguments, _fields(stage, arguments, {}), [])
    if "from" not in arguments:
        raise SuiteFault("add: needs `from`, `answer` or `fields`")
    sender = stage.thing(arguments["from"], Member)
    basis = {
        "id": stage.value(arguments.get("id", f"{stage.source.getrandbits(84):021x}")),
        "instance_id": sender.instance,
        "status": stage.value(arguments.get("status", "pending")),
        "content": _content(stage, arguments),
        "source_group": sender.group,
        "destination_group": stage.group(arguments["to"]) if "to" in arguments else "",
    }
    return await write(stage, sender.label, arguments, _fields(stage, arguments, basis), [])


async def _answer(stage: Stage, arguments: dict[str, Any]) -> Written:
    request = entry_of(stage, arguments["answer"])
    if request is None:
        raise Failed("the request was not written", "an entry to answer", "none", by_timeout=True)
    reader = next((peer for peer in stage.peers if request.entry in peer.read), None)
    author = stage.thing(arguments["from"], Member) if "from" in arguments else reader
    basis = {
        "id": stage.value(arguments.get("id", request.id)),
        "instance_id": request.instance_id,
        "status": stage.value(arguments.get("status", "fulfilled")),
        "content": _content(stage, arguments),
        "source_group": request.destination_group,
        "destination_group": stage.group(arguments["to"]) if "to" in arguments else request.source_group,
    }
    settling: list[tuple[resp.Arg, ...]] = []
    if reader is not None and arguments.get("settle", True):
        settling = _settling(reader, request)
    who = author.label if author else "runner"
    return await write(stage, who, arguments, _fields(stage, arguments, basis), settling)


def _settling(peer: Peer, entry: Written) -> list[tuple[resp.Arg, ...]]:
    peer.read.discard(entry.entry)
    return [("XACK", entry.key, peer.group, entry.entry), ("XDEL", entry.key, entry.entry)]


async def write(
    stage: Stage,
    who: str,
    arguments: dict[str, Any],
    fields: list[tuple[Any, Any]],
    settling: list[tuple[resp.Arg, ...]],
) -> Written:
    """XADD, and what belongs into the same MULTI."""
    pairs = [(_raw(name), _raw(value)) for name, value in fields]
    key = str(stage.value(arguments.get("stream", stage.stream)))
    thief = stage.thing(arguments["taken_by"], Peer) if "taken_by" in arguments else None
    xadd: tuple[resp.Arg, ...] = ("XADD", key, "*", *(part for pair in pairs for part in pair))
    commands = [xadd, *settling]
    if thief is not None:
        commands.append(("XREADGROUP", "GROUP", thief.group, thief.dispatcher, "COUNT", 1000, "STREAMS", key, ">"))
    replies = [await stage.redis(who, *xadd)] if len(commands) == 1 else await stage.transaction(who, commands)
    written = Written(key, replies[0].decode(), pairs, stage.now(), by=who, by_suite=True)
    written.marked_invalid = bool(stage.value(arguments.get("invalid", False)))
    written.exchange = next((n for n in reversed(stage.notes) if n.who == who and n.args[:1] == ("XADD",)), None)
    known = stage.ledger.add(written)
    if thief is not None:
        await _take(stage, thief, known, replies[-1])
    return known


async def _take(stage: Stage, thief: Peer, stolen: Written, reply: Any) -> None:
    for entry_id, flat in reply[0][1] if reply else []:
        entry = stage.ledger.adopt(stolen.key, entry_id, flat or [], time.monotonic())
        if entry is not stolen and entry.destination_group != thief.group:
            await stage.client.reply("XACK", stolen.key, thief.group, entry_id)
            continue
        thief.read.add(entry.entry)
        if entry is not stolen:
            thief.inbox.append(entry)
    if stolen.entry not in thief.read:
        raise SuiteFault(
            f"{thief.label} did not get the entry: its group is {thief.group}, {stolen.destination_group} is asked"
        )


# Pending lists


def _named(stage: Stage, arguments: dict[str, Any]) -> tuple[Peer, Written]:
    entry = entry_of(stage, arguments["entry"])
    if entry is None:
        raise Failed("the entry was not written", "an entry", "none", by_timeout=True)
    return stage.thing(arguments["peer"], Peer), entry


@word("settle")
async def settle(stage: Stage, step: Step) -> Any:
    peer, entry = _named(stage, step.arguments)
    commands = _settling(peer, entry)
    if step.arguments.get("delete") is False:
        commands = commands[:1]
    return await stage.transaction(peer.label, commands)


@word("claim")
async def claim(stage: Stage, step: Step) -> Any:
    arguments = step.arguments
    peer, entry = _named(stage, arguments)
    consumer = str(stage.value(arguments.get("consumer", peer.consumer)))
    command: list[resp.Arg] = [
        "XCLAIM",
        entry.key,
        peer.group,
        consumer,
        int(stage.value(arguments.get("min_idle", 0))),
    ]
    command.append(entry.entry)
    if "idle" in arguments:
        command += ["IDLE", int(stage.value(arguments["idle"]))]
    if "starts" in arguments:
        command += ["RETRYCOUNT", int(stage.value(arguments["starts"]))]
    reply = await stage.redis(peer.label, *command, "JUSTID")
    if reply:
        peer.read.add(entry.entry)
    return [each.decode() for each in reply if each]


@word("give-back")
async def give_back(stage: Stage, step: Step) -> Any:
    peer, entry = _named(stage, step.arguments)
    peer.read.discard(entry.entry)
    command = ("XCLAIM", entry.key, peer.group, peer.dispatcher, 0, entry.entry, "IDLE", GIVEN_BACK, "JUSTID")
    commands: list[tuple[resp.Arg, ...]] = [command]
    if step.arguments.get("wakeup"):
        commands.append(("PUBLISH", f"{peer.stream}:{peer.group}:wakeup", ""))
    await stage.batch(peer.label, commands)


@word("hand")
async def hand(stage: Stage, step: Step) -> Any:
    arguments = step.arguments
    entry = entry_of(stage, arguments["entry"])
    to = stage.thing(arguments["to"], Member)
    if entry is None:
        raise Failed("the entry was not written", "an entry", "none", by_timeout=True)
    holder = next((peer for peer in stage.peers if entry.entry in peer.read), None)
    who = holder.label if holder else "runner"
    listed = await stage.redis(who, "LRANGE", to.key, 0, -1)
    if not listed:
        raise Failed(f"{to.label} has no consumer in {to.key}", "at least one consumer", "none")
    commands: list[tuple[resp.Arg, ...]] = [("XCLAIM", entry.key, to.group, listed[0], 0, entry.entry)]
    if arguments.get("wakeup"):
        commands.append(("PUBLISH", f"{to.stream}:{to.group}:{to.instance}:wakeup", ""))
    await stage.batch(who, commands)
    for peer in stage.peers:
        peer.read.discard(entry.entry)
