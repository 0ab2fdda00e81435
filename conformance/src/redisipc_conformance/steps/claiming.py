"""Pending lists by hand: settle, claim, give back, hand over."""

from __future__ import annotations

from typing import Any

from ..context.failure import Failed
from ..context.objects import Member, Peer, Written
from ..context.scenario_context import ScenarioContext
from ..scenario.model import Step
from ..wire import resp
from .adding import settling
from .entries import entry_of
from .registry import word

GIVE_BACK_IDLE_MS = 315_360_000_000
"""Milliseconds of idle time that mark an entry as given back."""
GIVE_BACK_RESPONSE_IDLE_MS = 630_720_000_000
"""The same for a response."""


def _named(context: ScenarioContext, arguments: dict[str, Any]) -> tuple[Peer, Written]:
    entry = entry_of(context, arguments["entry"])
    if entry is None:
        raise Failed("the entry was not written", "an entry", "none", by_timeout=True)
    return context.named(arguments["peer"], Peer), entry


@word("settle")
async def settle(context: ScenarioContext, step: Step) -> Any:
    peer, entry = _named(context, step.arguments)
    commands = settling(peer, entry)
    if step.arguments.get("delete") is False:
        commands = commands[:1]
    return await context.transaction(peer.label, commands)


@word("claim")
async def claim(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    peer, entry = _named(context, arguments)
    consumer = str(context.value(arguments.get("consumer", peer.consumer)))
    command: list[resp.Arg] = [
        "XCLAIM",
        entry.key,
        peer.group,
        consumer,
        int(context.value(arguments.get("min_idle", 0))),
    ]
    command.append(entry.entry)
    if "idle" in arguments:
        command += ["IDLE", int(context.value(arguments["idle"]))]
    if "starts" in arguments:
        command += ["RETRYCOUNT", int(context.value(arguments["starts"]))]
    reply = await context.redis(peer.label, *command, "JUSTID")
    if reply:
        peer.read.add(entry.entry)
    return [each.decode() for each in reply if each]


@word("give-back")
async def give_back(context: ScenarioContext, step: Step) -> Any:
    peer, entry = _named(context, step.arguments)
    peer.read.discard(entry.entry)
    idle = GIVE_BACK_IDLE_MS if entry.status == "pending" else GIVE_BACK_RESPONSE_IDLE_MS
    command = ("XCLAIM", entry.key, peer.group, peer.dispatcher, 0, entry.entry, "IDLE", idle, "JUSTID")
    commands: list[tuple[resp.Arg, ...]] = [command]
    if step.arguments.get("wakeup"):
        commands.append(("PUBLISH", f"{peer.stream}:{peer.group}:wakeup", ""))
    await context.batch(peer.label, commands)


@word("hand")
async def hand(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    entry = entry_of(context, arguments["entry"])
    to = context.named(arguments["to"], Member)
    if entry is None:
        raise Failed("the entry was not written", "an entry", "none", by_timeout=True)
    holder = next((peer for peer in context.peers if entry.entry in peer.read), None)
    who = holder.label if holder else "runner"
    listed = await context.redis(who, "LRANGE", to.key, 0, -1)
    if not listed:
        raise Failed(f"{to.label} has no consumer in {to.key}", "at least one consumer", "none")
    commands: list[tuple[resp.Arg, ...]] = [("XCLAIM", entry.key, to.group, listed[0], 0, entry.entry)]
    if arguments.get("wakeup"):
        commands.append(("PUBLISH", f"{to.stream}:{to.group}:{to.instance}:wakeup", ""))
    await context.batch(who, commands)
    for peer in context.peers:
        peer.read.discard(entry.entry)
