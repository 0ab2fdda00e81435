"""Looks at the present content of Redis: the stream, pending lists, consumers, availability lists, keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..context import notes
from ..context.failure import Failed, SuiteFault
from ..context.objects import Member, Written
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import differs, show
from ..scenario.model import Step
from ..wire import resp
from ..wire.client import pairs
from ..wire.tap import Exchange
from .entries import entry_of, fits, readable, where_of
from .registry import word
from .waiting import Look, expect, held, missing, wrong


def _present(context: ScenarioContext, label: Any) -> Written:
    entry = entry_of(context, label)
    if entry is None:
        raise Failed(f"the entry of {context.value(label)} was not written", "an entry", "none", by_timeout=True)
    return entry


def _taken_by(context: ScenarioContext, entry: Written, name: bytes) -> tuple[str, Exchange | None]:
    """The command by which an endpoint removed the entry, described and as such. Nothing if no endpoint sent one."""
    for label, tap in context.taps.items():
        for exchange in tap.exchanges:
            if exchange.name == name and entry.entry.encode() in exchange.args[1:]:
                return f": {label} sent {notes.command(exchange.args)[:160]}", exchange
    return "", None


async def _state(context: ScenarioContext, step: Step, look: Callable[[], Awaitable[Look]]) -> Any:
    async def once() -> Look:
        return await look()

    return await expect(context, step, "settle", once)


def as_json(raw: Any) -> Any:
    """A reply as JSON. Bytes that are not text stay bytes."""
    if isinstance(raw, (bytes, bytearray)):
        return readable(bytes(raw))
    if isinstance(raw, resp.ErrorReply):
        return raw.text
    return [as_json(each) for each in raw] if isinstance(raw, list) else raw


@word("stream")
async def stream(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    if "has" in arguments or "lacks" in arguments:
        entry = _present(context, arguments.get("has", arguments.get("lacks")))

        async def there() -> Look:
            reply = await context.look("XRANGE", entry.key, entry.entry, entry.entry)
            present = isinstance(reply, list) and bool(reply)
            if present == ("has" in arguments):
                return held(entry)
            state = "on the stream" if present else "not on the stream"
            wanted = "on the stream" if "has" in arguments else "not on the stream"
            by, sent = ("", None) if present else _taken_by(context, entry, b"XDEL")
            return wrong(f"{entry.entry} is {state}{by}", wanted, state, culprit=sent or entry)

        return await _state(context, step, there)
    where = where_of(context, arguments.get("where"))
    wanted = context.expected(arguments.get("count", {"$at_least": 1}))

    async def count() -> Look:
        reply = await context.look("XRANGE", context.stream, "-", "+")
        rows = reply if isinstance(reply, list) else []
        entries = [
            Written(context.stream, id.decode(), list(zip(f[0::2], f[1::2], strict=True)), 0.0) for id, f in rows
        ]
        found = [e for e in entries if e.id not in context.entry_log.fences and fits(e, where)]
        if differs(wanted, len(found)) is None:
            return held(len(found))
        seen = "; ".join(f"{e.entry} {e.status} {e.id} {e.source_group} -> {e.destination_group}" for e in found[:5])
        what = f" where {show(where)}" if where else ""
        culprit = context.entry_log.get(context.stream, found[-1].entry) if found else None
        message = f"{len(found)} entries are on the stream{what}"
        return wrong(message, show(wanted), seen or "none", culprit=culprit)

    return await _state(context, step, count)


@word("pending")
async def pending(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    group = context.group(arguments["group"])
    entry = _present(context, arguments["entry"]) if "entry" in arguments else None
    lacks = _present(context, arguments["lacks"]) if "lacks" in arguments else None
    parts = {key: context.expected(arguments[key]) for key in ("consumer", "deliveries", "idle") if key in arguments}
    wanted = context.expected(arguments["count"]) if "count" in arguments else None

    async def look() -> Look:
        reply = await context.look("XPENDING", context.stream, group, "-", "+", 10000)
        if isinstance(reply, resp.ErrorReply):
            return wrong(f"group {group} has no pending list", "a pending list", reply.text)
        rows = [
            {"entry": r[0].decode(), "consumer": as_json(r[1]), "idle": r[2], "deliveries": r[3]}
            for r in reply
            if r[0] not in context.noise
        ]
        shown = (
            "; ".join(f"{r['entry']} {r['consumer']} idle {r['idle']} x{r['deliveries']}" for r in rows[:5]) or "empty"
        )
        if lacks is not None:
            there = any(row["entry"] == lacks.entry for row in rows)
            message = f"{lacks.entry} is in the pending list of {group}"
            return wrong(message, "not there", shown, culprit=lacks) if there else held()
        if entry is None:
            fitting = [row for row in rows if all(differs(want, row[key]) is None for key, want in parts.items())]
            target = {"$": 1} if wanted is None else wanted
            if wanted is None:
                return held(fitting) if fitting else wrong(f"no such entry is pending in {group}", show(parts), shown)
            if differs(target, len(fitting)) is None:
                return held(len(fitting))
            return wrong(f"{len(fitting)} entries are pending in {group}", show(wanted), shown)
        row = next((row for row in rows if row["entry"] == entry.entry), None)
        if row is None:
            if wanted is not None and differs(wanted, 0) is None:
                return held(0)
            by, sent = _taken_by(context, entry, b"XACK")
            look = missing(f"{entry.entry} is not in the pending list of {group}{by}", show(parts) or "there", shown)
            look.culprit = sent
            return look
        for key, want in parts.items():
            told = differs(want, row[key], key)
            if told is not None:
                return wrong(f"{entry.entry} is not pending as expected: {told}", show(parts), shown, culprit=entry)
        return held(row)

    return await _state(context, step, look)


@word("consumers")
async def consumers(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    member = context.named(arguments["of"], Member) if "of" in arguments else None
    if "group" in arguments:
        group = context.group(arguments["group"])
    elif member is not None:
        group = member.group
    else:
        raise SuiteFault("consumers: needs `group` or `of`")
    parts = {
        key: context.expected(arguments[key]) for key in ("has", "lacks", "count", "all", "any") if key in arguments
    }

    async def look() -> Look:
        reply = await context.look("XINFO", "CONSUMERS", context.stream, group)
        if isinstance(reply, resp.ErrorReply):
            return wrong(f"group {group} is not there", "its consumers", reply.text)
        rows = [{name: as_json(value) for name, value in pairs(flat).items()} for flat in reply]
        if member is not None:
            rows = [row for row in rows if f"_{member.instance}_" in str(row["name"])]
        names = [row["name"] for row in rows]
        shown = "; ".join(f"{r['name']} pending {r['pending']} idle {r['idle']}" for r in rows) or "none"
        told = _consumers_differ(parts, rows, names)
        return (
            held(rows) if told is None else wrong(f"the consumers of {group} do not match: {told}", show(parts), shown)
        )

    return await _state(context, step, look)


def _consumers_differ(parts: dict[str, Any], rows: list[dict[str, Any]], names: list[Any]) -> str | None:
    if "has" in parts and all(differs(parts["has"], name) is not None for name in names):
        return f"expected {show(parts['has'])} among them"
    if "lacks" in parts and any(differs(parts["lacks"], name) is None for name in names):
        return f"expected none called {show(parts['lacks'])}"
    if "count" in parts:
        told = differs(parts["count"], len(rows), "count")
        if told is not None:
            return told
    if "all" in parts:
        for row in rows:
            for key, want in parts["all"].items():
                told = differs(want, row[key], f"{row['name']} {key}")
                if told is not None:
                    return told
    if "any" in parts:
        wanted = parts["any"]
        if not any(all(differs(want, row[key]) is None for key, want in wanted.items()) for row in rows):
            return f"expected one with {show(wanted)}"
    return None


@word("list")
async def list_(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    member = context.named(arguments["of"], Member)
    parts = {key: context.expected(arguments[key]) for key in ("equals", "has", "lacks", "count") if key in arguments}

    async def look() -> Look:
        reply = as_json(await context.look("LRANGE", member.key, 0, -1))
        if not isinstance(reply, list):
            return wrong(f"{member.key} is not a list", "a list", show(reply))
        told = None
        if "equals" in parts:
            told = differs(parts["equals"], reply)
        if told is None and "has" in parts and all(differs(parts["has"], each) is not None for each in reply):
            told = f"expected {show(parts['has'])} in it"
        if told is None and "lacks" in parts and any(differs(parts["lacks"], each) is None for each in reply):
            told = f"expected no {show(parts['lacks'])} in it"
        if told is None and "count" in parts:
            told = differs(parts["count"], len(reply), "count")
        if told is None:
            return held(reply)
        return wrong(f"the availability list of {member.label} does not match: {told}", show(parts), show(reply))

    return await _state(context, step, look)


@word("ttl")
async def ttl(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    key = context.named(arguments["of"], Member).key if "of" in arguments else str(context.value(arguments["key"]))
    wanted = context.expected(arguments["is"])

    async def look() -> Look:
        reply = await context.look("PTTL", key)
        if isinstance(reply, resp.ErrorReply):
            return wrong(f"{key}: no answer", show(wanted), reply.text)
        left = reply / 1000 if reply >= 0 else reply
        if differs(wanted, left) is None:
            return held(left)
        seen = {-2: "there is no such key", -1: "it never expires"}.get(reply, f"{left:g} s")
        return wrong(f"the time to live of {key} does not match", show(wanted), seen)

    return await _state(context, step, look)


@word("key")
async def key(context: ScenarioContext, step: Step) -> Any:
    name = str(context.value(step.arguments["name"]))
    wanted = bool(step.arguments["exists"])

    async def look() -> Look:
        reply = await context.look("EXISTS", name)
        if not isinstance(reply, resp.ErrorReply) and bool(reply) == wanted:
            return held()
        state = "is there" if reply == 1 else "is not there" if reply == 0 else str(reply)
        return wrong(f"the key {name} {state}", "there" if wanted else "not there", state)

    return await _state(context, step, look)


@word("groups")
async def groups(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    has = context.group(arguments["has"]) if "has" in arguments else None
    lacks = context.group(arguments["lacks"]) if "lacks" in arguments else None
    count = context.expected(arguments["count"]) if "count" in arguments else None

    async def look() -> Look:
        reply = await context.look("XINFO", "GROUPS", context.stream)
        rows = [] if isinstance(reply, resp.ErrorReply) else [pairs(flat) for flat in reply]
        names = [as_json(row["name"]) for row in rows]
        if has is not None and has not in names:
            return wrong(f"there is no group {has}", has, ", ".join(map(str, names)) or "none")
        if lacks is not None and lacks in names:
            return wrong(f"there is a group {lacks}", f"no {lacks}", ", ".join(map(str, names)))
        if count is not None and differs(count, len(names)) is not None:
            return wrong(f"there are {len(names)} groups", show(count), ", ".join(map(str, names)) or "none")
        return held(names)

    return await _state(context, step, look)


@word("last-delivered")
async def last_delivered(context: ScenarioContext, step: Step) -> Any:
    group = context.group(step.arguments["group"])
    wanted = context.expected(step.arguments["is"])

    async def look() -> Look:
        reply = await context.look("XINFO", "GROUPS", context.stream)
        rows = [] if isinstance(reply, resp.ErrorReply) else [pairs(flat) for flat in reply]
        row = next((row for row in rows if as_json(row["name"]) == group), None)
        if row is None:
            return wrong(f"there is no group {group}", show(wanted), "no such group")
        last = as_json(row["last-delivered-id"])
        told = differs(wanted, last)
        return held(last) if told is None else wrong(f"group {group} has read up to {last}", show(wanted), last)

    return await _state(context, step, look)
