"""Joining, and coming back after the connection or the group was lost (sections 6 and 13)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from . import routing
from .claims import GIVEN_BACK
from .errors_of_redis import PERMANENT, REFUSAL
from .mutation import mutant
from .resp import RedisError

if TYPE_CHECKING:
    from .endpoint import Endpoint


async def join(endpoint: Endpoint) -> None:
    """The group, an instance id that nobody has, the consumers, the registration. Raises RedisError."""
    await _learn_clock(endpoint)
    names = endpoint.names
    start = b"0" if mutant("group-from-the-beginning") else b"$"
    made = () if mutant("group-without-the-stream") else ("MKSTREAM",)
    if mutant("destroys-the-group-on-connect"):
        await endpoint.write(("XGROUP", "DESTROY", names.stream, names.group))
    await _make_group(endpoint, start, made)
    if mutant("skips-to-the-end-on-connect"):
        await endpoint.write(("XGROUP", "SETID", names.stream, names.group, "$"))
    while not mutant("consumers-not-made"):
        if (await _consumer(endpoint, endpoint.names.dispatcher)) == 1 or mutant("takes-a-taken-instance"):
            break
        endpoint.rename()
    if not mutant("consumers-not-made"):
        await _consumer(endpoint, endpoint.names.consumer)
    if not mutant("registers-after-the-first-request"):
        await endpoint.group.register()
    rows = (await endpoint.write(("XINFO", "GROUPS", names.stream)))[0]
    for row in rows if isinstance(rows, list) else []:
        info = dict(zip(row[0::2], row[1::2], strict=True))
        if info[b"name"] == names.group:
            endpoint.last_read = info[b"last-delivered-id"]
    await endpoint.group.find_siblings()
    if endpoint.options.wakeups:
        await endpoint.write(("PUBLISH", names.group_wakeup, ""))


async def recover(endpoint: Endpoint) -> None:
    """In the order of section 13: group, what is in progress, registration, unsure answers, the own lists."""
    await _learn_clock(endpoint)
    names = endpoint.names
    if mutant("adds-before-the-group"):
        await asyncio.sleep(1.0)
    if not mutant("never-makes-the-group-again"):
        at = b"$" if mutant("group-again-at-the-end") else endpoint.last_read
        if await _make_group(endpoint, at, ("MKSTREAM",)):
            await _mend_position(endpoint)
    if not mutant("claims-again-after-reading"):
        await endpoint.claims.claim_again()
    for consumer in (names.dispatcher, names.consumer):
        await _consumer(endpoint, consumer)
    if mutant("registers-after-reading"):
        endpoint.spawn(_register_later(endpoint))
    elif not mutant("never-registers-again"):
        await _register(endpoint)
    await endpoint.responder.settle_unsure()
    if not mutant("own-list-not-read-after-a-loss"):
        await _read_own(endpoint)
        await endpoint.group.poll()
    if mutant("claims-again-after-reading"):
        endpoint.spawn(_claim_later(endpoint))
    endpoint.claims.hold_until = time.monotonic() + 10.0


async def _make_group(endpoint: Endpoint, at: bytes, made: tuple[str, ...]) -> bool:
    """Whether it was made now."""
    names = endpoint.names
    reply = (await endpoint.write(("XGROUP", "CREATE", names.stream, names.group, at, *made)))[0]
    if isinstance(reply, RedisError) and (reply.kind != "BUSYGROUP" or mutant("busygroup-is-an-error")):
        raise reply
    return not isinstance(reply, RedisError)


async def _mend_position(endpoint: Endpoint) -> None:
    """A stream that is a new one counts from below what was read of the old one."""
    names = endpoint.names
    info = (await endpoint.write(("XINFO", "STREAM", names.stream)))[0]
    if isinstance(info, RedisError) or endpoint.last_read == b"$":
        return
    last = dict(zip(info[0::2], info[1::2], strict=True))[b"last-generated-id"]
    if _parts(last) < _parts(endpoint.last_read) and not mutant("group-in-the-future"):
        endpoint.last_read = b"0"
        await endpoint.write(("XGROUP", "SETID", names.stream, names.group, "0"))


async def _consumer(endpoint: Endpoint, name: bytes) -> int:
    names = endpoint.names
    reply = (await endpoint.write(("XGROUP", "CREATECONSUMER", names.stream, names.group, name)))[0]
    if isinstance(reply, RedisError):
        raise reply
    return int(reply)


async def _register(endpoint: Endpoint) -> None:
    try:
        await endpoint.group.register()
    except RedisError as error:
        # Without memory there is no registration; responses come all the same, and it is tried again soon.
        if error.kind not in REFUSAL and error.kind not in PERMANENT and error.kind != "EXECABORT":
            raise


async def _register_later(endpoint: Endpoint) -> None:
    await asyncio.sleep(0.5)
    await endpoint.group.register()


async def _claim_later(endpoint: Endpoint) -> None:
    await asyncio.sleep(1.0)
    await endpoint.claims.claim_again()


async def _read_own(endpoint: Endpoint) -> None:
    """The reply of a read may have been lost, and ``>`` never shows its entries again. Nothing here counts as a delivery."""
    names, held = endpoint.names, endpoint.responder.held
    start = b"-"
    while True:
        line = ("XPENDING", names.stream, names.group, start, "+", 500, names.dispatcher)
        rows = (await endpoint.write(line))[0]
        if isinstance(rows, RedisError):
            raise rows
        for id, _, idle, count in rows:
            if (id in held and not mutant("starts-again-what-runs")) or idle >= GIVEN_BACK:
                continue
            body: Any = await endpoint.claims.body(id)
            if isinstance(body, RedisError):
                raise body
            if not body:
                routing.take(endpoint, id, None)
            elif count > 1:
                routing.take_again(endpoint, id, body[0][1], -(-count // 3))
            else:
                routing.take(endpoint, id, body[0][1])
        if len(rows) < 500:
            return
        start = b"(" + rows[-1][0]


async def _learn_clock(endpoint: Endpoint) -> None:
    reply = (await endpoint.write(("TIME",)))[0]
    if isinstance(reply, RedisError):
        raise reply
    endpoint.claims.offset = int(reply[0]) + int(reply[1]) / 1e6 - time.time()


def _parts(id: bytes) -> tuple[int, int]:
    first, _, second = id.partition(b"-")
    return int(first), int(second or 0)
