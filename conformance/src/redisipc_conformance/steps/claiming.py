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


def _named(stage: ScenarioContext, arguments: dict[str, Any]) -> tuple[Peer, Written]:
    entry = entry_of(stage, arguments["entry"])
    if entry is None:
        raise Failed("the entry was not written", "an entry", "none", by_timeout=True)
    return stage.thing(arguments["peer"], Peer), entry


@word("settle")
async def settle(stage: ScenarioContext, step: Step) -> Any:
    peer, entry = _named(stage, step.arguments)
    commands = settling(peer, entry)
    if step.arguments.get("delete") is False:
        commands = commands[:1]
    return await stage.transaction(peer.label, commands)


@word("claim")
async def claim(stage: ScenarioContext, step: Step) -> Any:
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
async def give_back(stage: ScenarioContext, step: Step) -> Any:
    peer, entry = _named(stage, step.arguments)
    peer.read.discard(entry.entry)
    command = ("XCLAIM", entry.key, peer.group, peer.dispatcher, 0, entry.entry, "IDLE", GIVE_BACK_IDLE_MS, "JUSTID")
    commands: list[tuple[resp.Arg, ...]] = [command]
    if step.arguments.get("wakeup"):
        commands.append(("PUBLISH", f"{peer.stream}:{peer.group}:wakeup", ""))
    await stage.batch(peer.label, commands)


@word("hand")
async def hand(stage: ScenarioContext, step: Step) -> Any:
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
