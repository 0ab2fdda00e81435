"""Instances that the runner plays: simple members of a group that keep themselves alive."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from ..context.failure import SuiteFault
from ..context.objects import Peer
from ..context.scenario_context import ScenarioContext
from ..scenario.model import Step
from ..wire import resp
from .registry import word

KEEP_SECONDS = 1.0
LIST_SECONDS = 100
JOIN_AT_ONCE = 50
"""Members of a crowd that join at the same time."""
BEYOND = "18446744073709551615-0"
"""Reading its own pending list from here on shows and counts nothing, but the consumer was seen. (The greatest ID means `>`.)"""


@word("peer")
async def peer(context: ScenarioContext, step: Step) -> Any:
    arguments = context.value(step.arguments)
    return await _join(context, {"name": arguments} if isinstance(arguments, str) else arguments)


@word("crowd")
async def crowd(context: ScenarioContext, step: Step) -> Any:
    """Makes so many instances of one group: `p0`, `p1` and so on."""
    arguments = context.value(step.arguments)
    name, size = arguments.pop("name"), int(arguments.pop("size"))
    arguments = {"group": name, "keep": False, **arguments}
    made: list[Peer] = []
    for first in range(0, size, JOIN_AT_ONCE):
        numbers = range(first, min(first + JOIN_AT_ONCE, size))
        made += await asyncio.gather(*(_join(context, {**arguments, "name": f"{name}{number}"}) for number in numbers))
    context.bind(name, made)
    return made


async def _join(context: ScenarioContext, arguments: dict[str, Any]) -> Peer:
    label = arguments["name"]
    instance = str(arguments.get("instance") or f"{context.source.getrandbits(24):06x}")
    made = Peer(label, str(arguments.get("group", label)), instance, context.stream)
    made.consumers = tuple(f"consumer_{instance}_{n}" for n in range(int(arguments.get("consumers", 1))))
    commands: list[tuple[resp.Arg, ...]] = [("XGROUP", "CREATE", context.stream, made.group, "$", "MKSTREAM")]
    commands += [
        ("XGROUP", "CREATECONSUMER", context.stream, made.group, c) for c in (made.dispatcher, *made.consumers)
    ]
    replies = await context.batch(label, commands, errors=True)
    for reply in replies:
        if isinstance(reply, resp.ErrorReply) and reply.kind != "BUSYGROUP":
            raise SuiteFault(f"the peer {label} cannot join: {reply.text}")
    context.bind(label, made)
    context.peers.append(made)
    if arguments.get("register", True):
        await register_peer(context, made)
    if arguments.get("keep", True):
        context.spawn(_keep(context, made))
    return made


async def register_peer(context: ScenarioContext, peer: Peer) -> None:
    commands: list[tuple[resp.Arg, ...]] = []
    for consumer in peer.consumers:
        commands += [("LREM", peer.key, 0, consumer), ("LPUSH", peer.key, consumer)]
    await context.transaction(peer.label, [*commands, ("EXPIRE", peer.key, LIST_SECONDS)])
    peer.registered = True


async def _keep(context: ScenarioContext, peer: Peer) -> None:
    while True:
        await asyncio.sleep(KEEP_SECONDS)
        commands: list[tuple[resp.Arg, ...]] = [
            ("XREADGROUP", "GROUP", peer.group, consumer, "COUNT", 1, "STREAMS", context.stream, BEYOND)
            for consumer in (peer.dispatcher, *peer.consumers)
        ]
        if peer.registered:
            commands.append(("EXPIRE", peer.key, LIST_SECONDS))
        with contextlib.suppress(Exception):
            await context.client.batch(commands)


@word("register")
async def register(context: ScenarioContext, step: Step) -> Any:
    await register_peer(context, context.named(step.arguments, Peer))


@word("unregister")
async def unregister(context: ScenarioContext, step: Step) -> Any:
    peer = context.named(step.arguments, Peer)
    peer.registered = False
    await context.batch(peer.label, [("LREM", peer.key, 0, consumer) for consumer in peer.consumers])
