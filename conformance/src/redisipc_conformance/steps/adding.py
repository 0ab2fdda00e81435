"""Entries that the runner writes: requests and answers, changed as a scenario needs."""

from __future__ import annotations

import time
from typing import Any

from ..context.failure import Failed, SuiteFault
from ..context.objects import Member, Peer, Written
from ..context.scenario_context import ScenarioContext
from ..scenario.content import encode
from ..scenario.model import Step
from ..wire import resp
from .entries import entry_of
from .registry import word


def _fields(context: ScenarioContext, arguments: dict[str, Any], basis: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The fields of an entry, changed as the step says."""
    if "fields" in arguments:
        return [(name, value) for name, value in context.value(arguments["fields"])]
    fields: dict[str, Any] = dict(basis)
    fields.update(context.value(arguments.get("set", {})))
    for name in context.value(arguments.get("without", [])):
        fields.pop(name, None)
    order = context.value(arguments.get("order", list(fields)))
    pairs = [(name, fields[name]) for name in order if name in fields]
    pairs += [(name, value) for name, value in fields.items() if name not in order]
    pairs += list(context.value(arguments.get("extra", {})).items())
    pairs += [(name, fields[name]) for name in context.value(arguments.get("twice", []))]
    return pairs


def _raw(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return resp.to_bytes(value)


def _content(context: ScenarioContext, arguments: dict[str, Any]) -> Any:
    if "text" in arguments:
        return context.value(arguments["text"])
    content = context.value(arguments.get("content"))
    return content if isinstance(content, bytes) else encode(content)


@word("add")
async def add(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    if "answer" in arguments:
        return await _answer(context, arguments)
    if "fields" in arguments:
        who = context.named(arguments["from"], Member).label if "from" in arguments else "runner"
        return await write(context, who, arguments, _fields(context, arguments, {}), [])
    if "from" not in arguments:
        raise SuiteFault("add: needs `from`, `answer` or `fields`")
    sender = context.named(arguments["from"], Member)
    if "times" in arguments:
        return await _many(context, step, sender)
    return await write(context, sender.label, arguments, _request(context, arguments, sender), [])


def _request(context: ScenarioContext, arguments: dict[str, Any], sender: Member) -> list[tuple[Any, Any]]:
    basis = {
        "id": context.value(arguments.get("id", f"{context.source.getrandbits(84):021x}")),
        "instance_id": sender.instance,
        "status": context.value(arguments.get("status", "pending")),
        "content": _content(context, arguments),
        "source_group": sender.group,
        "destination_group": context.group(arguments["to"]) if "to" in arguments else "",
    }
    return _fields(context, arguments, basis)


async def _many(context: ScenarioContext, step: Step, sender: Member) -> list[Written]:
    """So many requests in one MULTI. `as: e` also names them `e0`, `e1` and so on."""
    arguments = step.arguments
    fields = []
    for number in range(int(context.value(arguments["times"]))):
        context.bind("n", number)
        fields.append(_request(context, arguments, sender))
    written = await write_all(context, sender.label, arguments, fields, [])
    for number, each in enumerate(written if step.bind else ()):
        context.bind(f"{context.value(step.bind)}{number}", each)
    return written


async def _answer(context: ScenarioContext, arguments: dict[str, Any]) -> Written:
    request = entry_of(context, arguments["answer"])
    if request is None:
        raise Failed("the request was not written", "an entry to answer", "none", by_timeout=True)
    reader = next((peer for peer in context.peers if request.entry in peer.read), None)
    author = context.named(arguments["from"], Member) if "from" in arguments else reader
    basis = {
        "id": context.value(arguments.get("id", request.id)),
        "instance_id": request.instance_id,
        "status": context.value(arguments.get("status", "fulfilled")),
        "content": _content(context, arguments),
        "source_group": request.destination_group,
        "destination_group": context.group(arguments["to"]) if "to" in arguments else request.source_group,
    }
    also: list[tuple[resp.Arg, ...]] = []
    if reader is not None and arguments.get("settle", True):
        also = settling(reader, request)
    who = author.label if author else "runner"
    return await write(context, who, arguments, _fields(context, arguments, basis), also)


def settling(peer: Peer, entry: Written) -> list[tuple[resp.Arg, ...]]:
    peer.read.discard(entry.entry)
    return [("XACK", entry.key, peer.group, entry.entry), ("XDEL", entry.key, entry.entry)]


async def write(
    context: ScenarioContext,
    who: str,
    arguments: dict[str, Any],
    fields: list[tuple[Any, Any]],
    also: list[tuple[resp.Arg, ...]],
) -> Written:
    """XADD, and what belongs into the same MULTI."""
    return (await write_all(context, who, arguments, [fields], also))[0]


async def write_all(
    context: ScenarioContext,
    who: str,
    arguments: dict[str, Any],
    entries: list[list[tuple[Any, Any]]],
    also: list[tuple[resp.Arg, ...]],
) -> list[Written]:
    """An XADD for the fields of each entry, and what belongs into the same MULTI."""
    pairs = [[(_raw(name), _raw(value)) for name, value in fields] for fields in entries]
    key = str(context.value(arguments.get("stream", context.stream)))
    thief = context.named(arguments["taken_by"], Peer) if "taken_by" in arguments else None
    commands: list[tuple[resp.Arg, ...]] = [
        ("XADD", key, "*", *(part for pair in each for part in pair)) for each in pairs
    ]
    commands += also
    if thief is not None:
        count = 1000 + len(pairs)
        commands.append(("XREADGROUP", "GROUP", thief.group, thief.dispatcher, "COUNT", count, "STREAMS", key, ">"))
    at = context.now()
    alone = len(commands) == 1
    replies = [await context.redis(who, *commands[0])] if alone else await context.transaction(who, commands)
    invalid = bool(context.value(arguments.get("invalid", False)))
    notes = [note for note in context.notes if note.who == who and note.args[:1] == ("XADD",)][-len(pairs) :]
    known = []
    for flat, reply, note in zip(pairs, replies, notes, strict=False):
        written = Written(key, reply.decode(), flat, at, by=who, by_suite=True, marked_invalid=invalid, exchange=note)
        known.append(context.entry_log.add(written))
    if thief is not None:
        await _take(context, thief, known, replies[-1])
    return known


async def _take(context: ScenarioContext, thief: Peer, stolen: list[Written], reply: Any) -> None:
    key, own = stolen[0].key, {entry.entry for entry in stolen}
    for entry_id, flat in reply[0][1] if reply else []:
        entry = context.entry_log.adopt(key, entry_id, flat or [], time.monotonic())
        if entry.entry not in own and entry.destination_group != thief.group:
            await context.client.reply("XACK", key, thief.group, entry_id)
            continue
        thief.read.add(entry.entry)
        if entry.entry not in own:
            thief.inbox.append(entry)
    if not own <= thief.read:
        asked = stolen[0].destination_group
        raise SuiteFault(f"{thief.label} did not get the entry: its group is {thief.group}, {asked} is asked")
