"""The step `serve`: an endpoint of the testee, or a peer, answers all requests from now on."""

from __future__ import annotations

import asyncio
from typing import Any

from ..context.failure import SuiteFault
from ..context.objects import Background, Endpoint, Peer, Received, Written
from ..context.scenario_context import ScenarioContext
from ..scenario.content import encode
from ..scenario.model import Step
from ..wire import resp
from .adding import settling, write
from .reading import read_one
from .registry import word

LOOK_SECONDS = 0.02


@word("serve")
async def serve(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    verbs = [verb for verb in ("fulfill", "reject", "raise") if verb in arguments]
    if len(verbs) != 1 or ("endpoint" in arguments) == ("peer" in arguments):
        raise SuiteFault("serve: needs `endpoint` or `peer`, and one of fulfill, reject, raise")
    if "endpoint" in arguments:
        return _serve_endpoint(context, context.named(arguments["endpoint"], Endpoint), arguments, verbs[0])
    return _serve_peer(context, context.named(arguments["peer"], Peer), arguments, verbs[0])


async def _hold(context: ScenarioContext, arguments: dict[str, Any]) -> None:
    if "hold" in arguments:
        await asyncio.sleep(context.seconds(arguments["hold"]))


def _serve_endpoint(context: ScenarioContext, endpoint: Endpoint, arguments: dict[str, Any], verb: str) -> Background:
    stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def answer(received: Received) -> None:
        await _hold(context, arguments)
        with context.naming(request=received):
            given = context.value(arguments[verb])
        key = "message" if verb == "raise" else "content"
        process = endpoint.process
        assert process is not None
        parameters = {"endpoint": endpoint.handle, "request": received.request, key: given}
        received.answered = True
        try:
            await process.call(verb, parameters, context.budgets["recover"])
        except Exception as error:
            context.tell(endpoint.label, f"{verb} {received.request} failed: {error}")

    def hear(received: Received) -> None:
        context.spawn(answer(received))

    def stop() -> None:
        if hear in endpoint.servers:
            endpoint.servers.remove(hear)
        if not stopped.done():
            stopped.set_result(None)

    endpoint.servers.append(hear)
    background = Background(context.spawn(_until(stopped)), stop, context.now())
    context.backgrounds.append(background)
    return background


async def _until(stopped: asyncio.Future[None]) -> None:
    await stopped


def _serve_peer(context: ScenarioContext, peer: Peer, arguments: dict[str, Any], verb: str) -> Background:
    ending = asyncio.Event()

    async def answer(entry: Written) -> None:
        await _hold(context, arguments)
        with context.naming(request=entry):
            content = encode(context.value(arguments[verb]))
        fields: list[tuple[Any, Any]] = [
            ("id", entry.id),
            ("instance_id", entry.instance_id),
            ("status", "fulfilled" if verb == "fulfill" else "rejected"),
            ("content", content),
            ("source_group", entry.destination_group),
            ("destination_group", entry.source_group),
        ]
        also: list[tuple[resp.Arg, ...]] = settling(peer, entry)
        await write(context, peer.label, {}, fields, also)

    async def all_of_them() -> None:
        while not ending.is_set():
            beat = context.pulse.beats
            async with peer.reading:
                entry = await read_one(context, peer)
            if entry is None:
                await context.pulse.wait(LOOK_SECONDS, since=beat)
            elif entry.status == "pending":
                context.spawn(answer(entry))
            else:
                peer.inbox.append(entry)

    background = Background(context.spawn(all_of_them()), ending.set, context.now())
    background.task.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
    context.backgrounds.append(background)
    return background
