"""Peers read new entries of their group, and look for responses that were handed to them."""

from __future__ import annotations

import time
from typing import Any

from ..context.failure import Failed
from ..context.objects import Peer, Written
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import show
from ..scenario.model import Step
from ..wire import resp
from .entries import entry_of, fits, refused_send, request_id, where_of
from .registry import word
from .waiting import Look, expect, held, missing, wrong

READ_COUNT = 128


async def read_one(context: ScenarioContext, peer: Peer) -> Written | None:
    """Takes the next new entry of the peer's group into its pending list.

    Entries of others are acknowledged and skipped.
    """
    if not peer.fetched and not await _fetch(context, peer):
        return None
    entry = peer.fetched.popleft()
    note = context.tell(peer.label, f"read {entry.entry}: {entry.status} {entry.id}")
    note.side = "suite"
    peer.read.add(entry.entry)
    return entry


async def _fetch(context: ScenarioContext, peer: Peer) -> bool:
    """Reads what there is: many entries, or one if the group has other members, so that entries are left for them."""
    shared = any(member.group == peer.group for member in (*context.endpoints, *context.peers) if member is not peer)
    count = 1 if shared else READ_COUNT
    while not peer.fetched:
        command = ("XREADGROUP", "GROUP", peer.group, peer.dispatcher, "COUNT", count, "STREAMS", context.stream, ">")
        reply = await context.look(*command)
        if isinstance(reply, resp.ErrorReply):
            raise Failed(f"the peer {peer.label} cannot read", "a reply to XREADGROUP", reply.text)
        if not reply:
            return False
        foreign: list[bytes] = []
        for entry_id, flat in reply[0][1]:
            entry = context.entry_log.adopt(context.stream, entry_id, flat or [], time.monotonic())
            if entry.id in context.entry_log.fences or entry.destination_group != peer.group:
                foreign.append(entry_id)
            else:
                peer.fetched.append(entry)
        if foreign:
            await context.client.reply("XACK", context.stream, peer.group, *foreign)
    return True


@word("read")
async def read(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    peer = context.named(arguments["peer"], Peer)
    where = where_of(context, arguments.get("where"))

    def wanted(entry: Written) -> bool:
        if "of" in arguments:
            target = entry_of(context, arguments["of"])
            same = target is entry or entry.id == request_id(context, arguments["of"])
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
                entry = await read_one(context, peer)
                if entry is None:
                    break
                peer.inbox.append(entry)
        if arguments.get("none"):
            return held()
        refused = refused_send(context, arguments["of"]) if "of" in arguments else None
        if refused is not None:
            told = f"the send was refused: {refused.content}"
            return wrong(told, f"an entry for {peer.group}", "refused", final=True, culprit=refused.note)
        seen = "; ".join(f"{e.status} {e.id} {e.text[:60]}" for e in peer.inbox[:3]) or "nothing new in the group"
        return missing(f"nothing came for the peer {peer.label}", f"an entry for {peer.group} {show(where)}", seen)

    return await expect(context, step, "delivery", look)


@word("handed")
async def handed(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    peer = context.named(arguments["peer"], Peer)
    channel = f"{peer.stream}:{peer.group}:{peer.instance}:wakeup".encode()

    async def look() -> Look:
        found = await _in_list(context, peer, arguments)
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
                e.name == b"PUBLISH" and e.args[1:2] == [channel] for t in context.taps.values() for e in t.exchanges
            )
            if not woken:
                return wrong(
                    f"{peer.label} was not woken", f"PUBLISH {channel.decode()}", "no such command", culprit=found
                )
        return held(found)

    return await expect(context, step, "handover", look)


async def _in_list(context: ScenarioContext, peer: Peer, arguments: dict[str, Any]) -> Written | None:
    target = entry_of(context, arguments["of"]) if "of" in arguments else None
    id = request_id(context, arguments["of"]) if "of" in arguments else ""
    for consumer in peer.consumers:
        reply = await context.look("XPENDING", peer.stream, peer.group, "-", "+", 1000, consumer)
        for row in reply if isinstance(reply, list) else []:
            entry = context.entry_log.get(peer.stream, row[0].decode())
            if entry is not None and ("of" not in arguments or entry is target or (id and entry.id == id)):
                return entry
    return None
