"""How a scenario is cleared away: its endpoints leave, its keys go."""

from __future__ import annotations

import asyncio
import contextlib

from ..wire import resp
from ..within import within
from .objects import Endpoint
from .scenario_context import ScenarioContext

SWEEP_SECONDS = 2.0


async def clear_away(stage: ScenarioContext) -> None:
    """Nothing of the scenario goes on after this: no task, no tap, no key."""
    await stage.stop()
    for tap in stage.taps.values():
        for fault in tap.faults:
            fault.lift()
        tap.refusing = False
        tap.resume()
    await asyncio.gather(*(leave(stage, endpoint) for endpoint in stage.endpoints if endpoint.connected))
    await stage.close()
    await sweep(stage)


async def leave(stage: ScenarioContext, endpoint: Endpoint) -> None:
    """The endpoint disconnects. A serial one that is in a handler or in a send reads no call: its process is ended."""
    process = endpoint.process
    if process is None or process.gone is not None or process.broken is not None or process in stage.suspects:
        return
    if stage.claims.serial and _busy(stage, endpoint):
        stage.processes.expect_end(endpoint.process_name)
        process.kill()
        endpoint.connected = False
        return
    try:
        future = await process.begin("disconnect", {"endpoint": endpoint.handle})
        await stage.patience.wait(future, stage.budgets["disconnect"])
    except Exception:
        stage.suspects.add(process)
    endpoint.connected = False


def _busy(stage: ScenarioContext, endpoint: Endpoint) -> bool:
    running = any(not received.answered for received in endpoint.received)
    return running or any(send.endpoint is endpoint and send.outcome is None for send in stage.sends)


async def sweep(stage: ScenarioContext) -> None:
    """Deletes what the scenario has left on a Redis that others use as well."""
    keys: set[resp.Arg] = {stage.stream}
    prefix = stage.stream.encode()
    for tap in stage.taps.values():
        keys |= {e.args[1] for e in tap.exchanges if len(e.args) > 1 and e.args[1].startswith(prefix)}
    keys |= {peer.key for peer in stage.peers}
    if stage.server is None:
        with contextlib.suppress(Exception):
            await within(stage.client.reply("DEL", *keys), SWEEP_SECONDS)
