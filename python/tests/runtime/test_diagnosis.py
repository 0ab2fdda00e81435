"""A timeout says why, over a real Redis: each situation has its word and its text."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis

from redisipc import Diagnosis, NoResponders, RequestTimeout

from .faces import Face, Gate, until


async def late(face: Face, web: Any, to: str, timeout: float = 0.3) -> RequestTimeout:
    with pytest.raises(RequestTimeout) as caught:
        await face.call(web.request, 1, to=to, timeout=timeout)
    return caught.value


async def test_a_group_that_does_not_exist(face: Face, stream: str) -> None:
    await face.connected(stream, "stock", lambda request: 1)
    web = await face.connected(stream, "web")
    error = await late(face, web, "stok")
    assert error.diagnosis == Diagnosis.NO_SUCH_GROUP == "no_such_group"
    assert "there is no group 'stok' (groups here: stock, web); did you mean 'stock'?" in str(error)
    early = await late(face, web, "stok", timeout=5.0)
    assert isinstance(early, NoResponders)
    assert early.diagnosis == "no_such_group"
    assert "did you mean 'stock'?" in str(early)


async def test_a_group_whose_members_left(face: Face, stream: str) -> None:
    stock = await face.connected(stream, "stock", lambda request: 1)
    web = await face.connected(stream, "web")
    await face.call(stock.disconnect)
    error = await late(face, web, "stock")
    assert (error.diagnosis, "group 'stock' has no living instance" in str(error)) == ("no_live_instance", True)


async def test_a_handler_that_is_still_at_it(face: Face, stream: str) -> None:
    gate = Gate()

    async def handle(request: Any) -> None:
        await gate.wait()

    stock = await face.connected(stream, "stock", face.handler(handle))
    web = await face.connected(stream, "web")
    error = await late(face, web, "stock")
    gate.open()
    assert error.diagnosis == "held"
    assert f"held by stock/{stock.instance} (delivered once)" in str(error)


async def test_a_member_that_does_not_read(face: Face, stream: str, raw: redis.Redis) -> None:
    web = await face.connected(stream, "web")
    raw.xgroup_create(stream, "stock", "$")
    raw.execute_command("XGROUP", "CREATECONSUMER", stream, "stock", "dispatcher_a1b2c3_0")
    error = await late(face, web, "stock")
    assert error.diagnosis == "not_read"
    assert "not read yet: 1 instance" in str(error)


@pytest.mark.parametrize("who", ["member", "caller"])
async def test_a_request_that_was_stored_before_the_group_was_made(
    face: Face, stream: str, raw: redis.Redis, who: str
) -> None:
    web = await face.connected(stream, "web")
    asker = web if who == "member" else face.module.Caller(stream)
    asking = asyncio.ensure_future(late(face, asker, "stock", timeout=0.4))
    await until(lambda: raw.xlen(stream))
    stock = await face.connected(stream, "stock", lambda request: 1)
    error = await asking
    assert error.diagnosis == "not_held"
    assert "group 'stock' does not hold it: it was stored before the group was made, or" in str(error)
    assert await face.call(asker.request, 2, to="stock", timeout=5.0) == 1
    await face.call(stock.disconnect)
    if who == "caller":
        await face.call(asker.close)


async def test_a_caller_says_it_as_well(face: Face, stream: str, raw: redis.Redis) -> None:
    await face.connected(stream, "web")
    raw.xgroup_create(stream, "stock", "$")
    caller = face.module.Caller(stream)
    assert (await late(face, caller, "stok")).diagnosis == "no_such_group"
    assert (await late(face, caller, "stock")).diagnosis == "no_live_instance"
    raw.execute_command("XGROUP", "CREATECONSUMER", stream, "stock", "dispatcher_a1b2c3_0")
    assert (await late(face, caller, "stock")).diagnosis == "not_read"
    raw.xgroup_setid(stream, "stock", "99999999999999-0")
    assert (await late(face, caller, "stock")).diagnosis == "not_held"
    raw.xgroup_setid(stream, "stock", "0-0")
    entry = raw.xadd(stream, {"of": "somebody"})
    raw.xreadgroup("stock", "dispatcher_a1b2c3_0", {stream: ">"})
    raw.xgroup_setid(stream, "stock", "99999999999999-0")
    assert (await late(face, caller, "stock")).diagnosis == "held"
    raw.xdel(stream, entry)
    await face.call(caller.close)
