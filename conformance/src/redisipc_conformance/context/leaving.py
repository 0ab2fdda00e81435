"""Cleans up after a scenario: its endpoints leave, its keys are deleted."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ..wire import resp
from ..within import within
from .objects import Endpoint
from .scenario_context import ScenarioContext

if TYPE_CHECKING:
    from ..testee.process import TesteeProcess

SWEEP_SECONDS = 2.0


async def clear_away(context: ScenarioContext) -> None:
    """Afterwards nothing of the scenario is left: no task, no tap, no key."""
    await context.stop()
    for tap in context.taps.values():
        for fault in tap.faults:
            fault.lift()
        tap.refusing = False
        tap.resume()
    await asyncio.gather(*(leave(context, endpoint) for endpoint in context.endpoints if endpoint.connected))
    await context.close()
    await sweep(context)


async def leave(context: ScenarioContext, endpoint: Endpoint) -> None:
    """The endpoint disconnects. A serial one in a handler or a send reads no call: its process is ended."""
    process = endpoint.process
    if process is None or process.gone is not None or process.broken is not None:
        return
    if process in context.suspects:
        await _ask(process, endpoint)
        return
    if context.claims.serial and _busy(context, endpoint):
        context.processes.expect_end(endpoint.process_name)
        process.kill()
        endpoint.connected = False
        return
    try:
        future = await process.begin("disconnect", {"endpoint": endpoint.handle})
        await context.budget_clock.wait(future, context.budgets["disconnect"])
    except Exception:
        context.suspects.add(process)
    endpoint.connected = False


async def _ask(process: TesteeProcess, endpoint: Endpoint) -> None:
    """Without waiting, since the process owes another answer. An endpoint that stayed would disturb the next scenarios."""
    with contextlib.suppress(Exception):
        future = await process.begin("disconnect", {"endpoint": endpoint.handle})
        future.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    endpoint.connected = False


def _busy(context: ScenarioContext, endpoint: Endpoint) -> bool:
    running = any(not received.answered for received in endpoint.received)
    return running or any(send.endpoint is endpoint and send.outcome is None for send in context.sends)


async def sweep(context: ScenarioContext) -> None:
    """Deletes what the scenario has left on a Redis that others use as well."""
    keys: set[resp.Arg] = {context.stream}
    prefix = context.stream.encode()
    for tap in context.taps.values():
        keys |= {e.args[1] for e in tap.exchanges if len(e.args) > 1 and e.args[1].startswith(prefix)}
    keys |= {peer.key for peer in context.peers}
    if context.server is None:
        with contextlib.suppress(Exception):
            await within(context.client.reply("DEL", *keys), SWEEP_SECONDS)
