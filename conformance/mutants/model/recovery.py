"""Joining, and coming back after the connection or the group was lost (sections 6 and 13)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from . import routing
from .claims import starts_of
from .giving import counts_as_given_back
from .mutation import mutant
from .ports import EndpointPort
from .redis_errors import PERMANENT, REFUSAL, is_group_lost
from .resp import Command, Lost, RedisError
from .wire import id_parts


async def join(endpoint: EndpointPort) -> None:
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
    if info := await _own_group(endpoint):
        endpoint.last_read = info[b"last-delivered-id"]
    if not mutant("reclaims-right-after-a-connect"):
        endpoint.claims.hold(given_back=False)
    await endpoint.group.find_siblings()
    if endpoint.options.wakeups:
        await endpoint.write(("PUBLISH", names.group_wakeup, ""))


async def _own_group(endpoint: EndpointPort) -> dict[bytes, Any]:
    """What Redis says of the group; empty where it is gone. Unlike XINFO STREAM this carries no body."""
    rows = (await endpoint.write(("XINFO", "GROUPS", endpoint.names.stream)))[0]
    if isinstance(rows, RedisError) and not is_group_lost(rows):
        raise rows
    infos = [dict(zip(row[0::2], row[1::2], strict=True)) for row in rows] if isinstance(rows, list) else []
    return next((info for info in infos if info[b"name"] == endpoint.names.group), {})


async def recover(endpoint: EndpointPort, fresh: bool) -> None:
    """In the order of section 13: group, what is in progress, registration, unsure answers, its own lists.
    ``fresh``: over connections that are new."""
    await _learn_clock(endpoint)
    names = endpoint.names
    if mutant("adds-before-the-group"):
        await asyncio.sleep(1.0)
    if not mutant("never-makes-the-group-again"):
        await _make_again(endpoint)
    if not mutant("claims-again-after-reading"):
        await endpoint.claims.claim_again()
    await _consumer(endpoint, names.dispatcher)
    if not mutant("consumer-not-made-again"):
        await _consumer(endpoint, names.consumer)
    if mutant("registers-after-reading"):
        endpoint.spawn(_register_later(endpoint))
    elif not mutant("never-registers-again"):
        await _register(endpoint)
    await endpoint.responder.decide_unsure()
    if not mutant("own-list-not-read-after-a-loss"):
        if not mutant("looks-late-only-after-a-loss"):
            await read_own(endpoint)
        await endpoint.group.poll()
    if mutant("claims-again-after-reading"):
        endpoint.spawn(_claim_later(endpoint))
    if fresh and not mutant("reclaims-right-after-a-reconnect"):
        endpoint.claims.hold(given_back=True)


async def _make_again(endpoint: EndpointPort) -> None:
    """The group, where it was: at 0 where the stream is gone or is another one than the one that was read."""
    names = endpoint.names
    if mutant("group-again-at-the-end"):
        await _make_group(endpoint, b"$", ("MKSTREAM",))
        return
    if await _own_group(endpoint) and not mutant("sets-the-id"):
        return
    if mutant("group-made-again-once-unread") and endpoint.last_read == b"0":
        return
    info = (await endpoint.write(("XINFO", "STREAM", names.stream)))[0]
    if isinstance(info, RedisError):
        if not is_group_lost(info):
            raise info
        new = True
    else:
        last = dict(zip(info[0::2], info[1::2], strict=True))[b"last-generated-id"]
        new = endpoint.last_read != b"$" and id_parts(last) < id_parts(endpoint.last_read)
    if mutant("sets-the-id"):
        await _make_group(endpoint, endpoint.last_read, ("MKSTREAM",))
        if new:
            await endpoint.write(("XGROUP", "SETID", names.stream, names.group, "0"))
            endpoint.last_read = b"0"
    elif new and not mutant("group-in-the-future"):
        endpoint.last_read = b"0"
        await _make_group(endpoint, b"0", ("MKSTREAM",))
    else:
        made = ("MKSTREAM",) if mutant("group-in-the-future") else ()
        await _make_group(endpoint, endpoint.last_read, made)


async def _make_group(endpoint: EndpointPort, at: bytes, made: tuple[str, ...]) -> None:
    names = endpoint.names
    reply = (await endpoint.write(("XGROUP", "CREATE", names.stream, names.group, at, *made)))[0]
    if isinstance(reply, RedisError) and (reply.kind != "BUSYGROUP" or mutant("busygroup-is-an-error")):
        raise reply


async def _consumer(endpoint: EndpointPort, name: bytes) -> int:
    names = endpoint.names
    reply = (await endpoint.write(("XGROUP", "CREATECONSUMER", names.stream, names.group, name)))[0]
    if isinstance(reply, RedisError):
        raise reply
    return int(reply)


async def _register(endpoint: EndpointPort) -> None:
    try:
        await endpoint.group.register()
    except RedisError as error:
        # Without memory there is no registration; responses come anyway, and it is tried again soon.
        if error.kind not in REFUSAL and error.kind not in PERMANENT and error.kind != "EXECABORT":
            raise


async def _register_later(endpoint: EndpointPort) -> None:
    await asyncio.sleep(0.5)
    await endpoint.group.register()


async def _claim_later(endpoint: EndpointPort) -> None:
    await asyncio.sleep(1.0)
    await endpoint.claims.claim_again()


async def read_own(endpoint: EndpointPort) -> None:
    """The reply of a read may have been lost, and ``>`` never shows its entries again. Nothing here counts as a delivery."""
    names = endpoint.names
    start = b"-"
    while True:
        line = ("XPENDING", names.stream, names.group, start, "+", 500, names.dispatcher)
        rows = (await endpoint.write(line))[0]
        if isinstance(rows, RedisError):
            raise rows
        found = [row for row in rows if not _known(endpoint, row[0]) and not counts_as_given_back(row[2])]
        if mutant("five-of-a-lost-read"):
            found = found[:5]
        await _take_found(endpoint, found)
        if len(rows) < 500:
            return
        start = b"(" + rows[-1][0]


def _known(endpoint: EndpointPort, id: bytes) -> bool:
    """Whether it is in progress, or is to be settled."""
    if id in endpoint.relay.graces or id in endpoint.cleaning.acknowledge:
        return True
    return id in endpoint.responder.held and not mutant("starts-again-what-runs")


async def _take_found(endpoint: EndpointPort, rows: list[list[Any]]) -> None:
    """Claims them, and routes them like new."""
    names = endpoint.names
    if mutant("bodiless-left-pending"):
        # From Redis 7.0 on a claim acknowledges what has no body.
        rows = [row for row in rows if await endpoint.claims.body(row[0])]
    if not rows:
        return
    old = [row for row in rows if row[2] >= 5000]
    claimed: set[object] = set()
    for min_idle, some in ((5000, old), (0, [row for row in rows if row not in old])):
        if some and not mutant("own-list-routed-unclaimed"):
            line: Command = ("XCLAIM", names.stream, names.group, names.dispatcher, min_idle, *(row[0] for row in some))
            reply = (await endpoint.write((*line, "JUSTID")))[0]
            if isinstance(reply, RedisError):
                raise reply
            claimed |= set(reply)
    breakers = endpoint.claims.breakers
    for id, _, _, count in sorted(rows, key=lambda row: breakers.broke(row[0])):
        if wait := breakers.wait(id):
            endpoint.spawn(_read_later(endpoint, wait))
            if mutant("nothing-behind-a-breaker"):
                return
            continue
        with breakers.reading(id):
            owner, body = await endpoint.write(
                ("XPENDING", names.stream, names.group, id, id, 1), ("XRANGE", names.stream, id, id)
            )
        if isinstance(owner, RedisError) or isinstance(body, RedisError):
            raise owner if isinstance(owner, RedisError) else body
        if not body:
            routing.take(endpoint, id, None)
        elif id in claimed or mutant("own-list-routed-unclaimed"):
            routing.take_again(endpoint, id, body[0][1], max(1, starts_of(count)), count > 1)
        # What the claim did not get is another member's by now.


async def _read_later(endpoint: EndpointPort, wait: float) -> None:
    """A body that broke the connection is read again when its pause is over, unless the connection is another one by then."""
    await asyncio.sleep(wait)
    with contextlib.suppress(Lost, RedisError):
        await endpoint.up.wait()
        await read_own(endpoint)


async def _learn_clock(endpoint: EndpointPort) -> None:
    reply = (await endpoint.write(("TIME",)))[0]
    if isinstance(reply, RedisError):
        raise reply
    endpoint.claims.offset = int(reply[0]) + int(reply[1]) / 1e6 - time.time()
