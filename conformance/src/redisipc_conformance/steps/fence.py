"""The fence: everything that was asked before it has been handled.

Only after a fence is it certain that something "did not happen".
"""

from __future__ import annotations

import time
from typing import Any

from ..context.failure import Failed, SuiteFault
from ..context.objects import Endpoint, Written, place
from ..context.scenario_context import ScenarioContext
from ..scenario.content import encode
from ..scenario.model import Step
from ..wire import resp
from ..wire.client import pairs
from .registry import word
from .waiting import Look, expect, held, missing, wrong

PATIENCE_SECONDS = 1.5
"""The time for which a fence waits until earlier entries are acknowledged: 1.5 times the settle time of SPEC.md."""


@word("fence")
async def fence(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments if isinstance(step.arguments, dict) else {"endpoint": step.arguments}
    endpoint = context.named(arguments["endpoint"], Endpoint)
    if endpoint.caller:
        raise SuiteFault(f"{endpoint.label} is a caller: it reads nothing but while it waits, and has no group")
    only_read = arguments.get("kind", "answered") == "read"
    # A testee that runs no handlers, or only one thing at a time, does not answer a fence. XINFO GROUPS and XPENDING
    # show that it has read the fence and settled the entries before it.
    answered = not only_read and not context.claims.serial and "responder" in context.claims.roles
    beyond = f"fence-{context.source.getrandbits(32):08x}"
    request = await _write(context, endpoint, beyond, endpoint.group if answered else beyond)
    written: list[Written] = [request]
    try:
        if answered:
            written.append(await expect(context, step, "fence", lambda: _answered(context, endpoint, request)))

        began = time.monotonic()

        async def passed() -> Look:
            patient = time.monotonic() - began < PATIENCE_SECONDS * context.scale
            return await _passed(context, endpoint, request, only_read, patient)

        await expect(context, step, "fence", passed)
    except Failed as failed:
        if not answered:
            await _tell_what_it_kept(context, endpoint, request, failed)
        raise
    finally:
        await context.client.batch([("XDEL", each.key, each.entry) for each in written])
        context.tell(endpoint.label, "fence").side = "suite"
    context.fenced.add(endpoint.label)
    return None


async def _tell_what_it_kept(context: ScenarioContext, endpoint: Endpoint, request: Written, failed: Failed) -> None:
    """A fence that needs no answer is an entry for another group: who has read it acknowledges it."""
    pending = await context.look("XPENDING", endpoint.stream, endpoint.group, request.entry, request.entry, 1)
    if isinstance(pending, list) and pending:
        owner, idle = pending[0][1].decode(), int(pending[0][2]) / 1000
        if owner == endpoint.dispatcher and idle > PATIENCE_SECONDS * context.scale:
            told = f"{endpoint.label} read {request.entry}, which is for another group, {idle:.1f} s ago"
            failed.kept = (endpoint, f"{told}, and has not acknowledged it")


async def _write(context: ScenarioContext, endpoint: Endpoint, source: str, destination: str) -> Written:
    id = f"{context.source.getrandbits(84):021x}"
    context.entry_log.fences.add(id)
    context.noise.add(id.encode())
    content: Any = None
    if endpoint.events:
        content = {"event": endpoint.events[0]["event"], "params": {}}
    fields = {
        "id": id,
        "instance_id": f"{context.source.getrandbits(24):06x}",
        "status": "pending",
        "content": encode(content).decode(),
        "source_group": source,
        "destination_group": destination,
    }
    flat = [part for pair in fields.items() for part in pair]
    at = context.now()
    reply = await context.client("XADD", endpoint.stream, "*", *flat)
    context.noise.add(reply)
    found = [(name.encode(), value.encode()) for name, value in fields.items()]
    written = Written(endpoint.stream, reply.decode(), found, at, by="runner", by_suite=True)
    return context.entry_log.add(written)


def _answered(context: ScenarioContext, endpoint: Endpoint, request: Written) -> Look:
    for entry in context.entry_log.entries:
        if entry.id == request.id and entry is not request:
            context.noise.add(entry.entry.encode())
            return held(entry)
    return missing(f"{endpoint.label} did not answer the fence behind everything so far", "an answer", "none")


async def _passed(
    context: ScenarioContext, endpoint: Endpoint, request: Written, only_read: bool, patient: bool
) -> Look:
    """Waits until the group has read up to the fence, and only entries of busy handlers are pending before it.

    Entries that are still pending when the patience is over are left for the checks after the fence to find.
    """
    info = await context.look("XINFO", "GROUPS", endpoint.stream)
    rows = [] if isinstance(info, resp.ErrorReply) else [pairs(flat) for flat in info]
    row = next((row for row in rows if row["name"] == endpoint.group.encode()), None)
    if row is None:
        return wrong(f"the group {endpoint.group} is not there", "its group", str(info)[:200])
    last = row["last-delivered-id"].decode()
    if place(last) < request.place and not _as_far_as_it_can(context, endpoint, request):
        return missing(f"{endpoint.group} has not read the fence", request.entry, f"read up to {last}")
    first = request.entry if only_read else "-"
    pending = await context.look("XPENDING", endpoint.stream, endpoint.group, first, request.entry, 100)
    if isinstance(pending, resp.ErrorReply):
        return wrong(f"the pending list of {endpoint.group} cannot be read", "a pending list", pending.text)
    held_back = {
        received.written.entry
        for each in context.endpoints
        for received in each.received
        if received.written is not None and not received.answered
    }
    left = [row for row in pending if row[0].decode() not in held_back | endpoint.stuck]
    if left and not patient:
        endpoint.stuck |= {row[0].decode() for row in left} - {request.entry}
        left = [row for row in left if row[0].decode() == request.entry]
    if left:
        what = "the fence" if only_read else "the fence or what was before it"
        return wrong(f"{what} is still pending in {endpoint.group}", "nothing pending", str(left)[:300])
    return held()


def _as_far_as_it_can(context: ScenarioContext, endpoint: Endpoint, request: Written) -> bool:
    """Whether a serial endpoint runs a handler, and only the fence and entries of its own stand behind the request.

    It reads nothing while a handler runs, so it never reads the fence. It has read everything before the request.
    """
    if not context.claims.serial:
        return False
    running = [each.written.place for each in endpoint.received if each.written is not None and not each.answered]
    behind = (
        each
        for each in context.entry_log.entries
        if each.key == endpoint.stream and each.by != endpoint.label and each.id not in context.entry_log.fences
    )
    return bool(running) and all(each.place <= max(running) for each in behind if each.place < request.place)
