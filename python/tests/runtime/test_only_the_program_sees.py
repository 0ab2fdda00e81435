"""Behaviour that SPEC.md asks for and no testee of the conformance suite can show: a program of the library sees it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import redis

from redisipc import Reject

from .faces import Face, until


async def reason_of(face: Face, stream: str, handler: Any) -> str:
    """The reason for which a request that gets to this handler is rejected."""
    await face.connected(stream, "stock", handler)
    web = await face.connected(stream, "web")
    return str((await face.call(web.send_to_group, 1, to="stock", timeout=4)).reason)


async def test_a_handler_that_postponed_its_answer_and_then_fails_is_a_rejection(face: Face, stream: str) -> None:
    async def handle(request: Any) -> None:
        request.later()
        await asyncio.sleep(0.01)
        raise ValueError("no more sugar")

    # RIPC-RESP-7
    assert (await reason_of(face, stream, face.handler(handle))).startswith("handler_failed: ValueError")


async def test_a_rejection_that_cannot_be_sent_has_the_word_for_that(face: Face, stream: str) -> None:
    def handle(request: Any) -> None:
        raise Reject(object())

    # RIPC-RESP-7, RIPC-RESP-22
    assert (await reason_of(face, stream, handle)).startswith("not_encodable: ")


async def test_a_handler_that_is_set_after_the_connect_is_announced(face: Face, stream: str, raw: redis.Redis) -> None:
    stock = await face.connected(stream, "stock")
    key = f"{stream}:stock:{stock.instance}:announce"

    def roles() -> list[str]:
        return list(json.loads(raw.get(key) or "{}").get("roles", []))  # type: ignore[arg-type]

    await until(lambda: roles() == ["requester"])
    stock.on_request(lambda request: 1)
    # RIPC-VERS-7
    await until(lambda: "responder" in roles())


async def test_the_limit_that_disconnect_is_given_counts(face: Face, stream: str, raw: redis.Redis) -> None:
    async def handle(request: Any) -> None:
        await asyncio.sleep(1.5)

    stock = await face.connected(stream, "stock", face.handler(handle), close_timeout=30)
    web = await face.connected(stream, "web")
    future = web.submit(1, to="stock", timeout=8)
    await until(lambda: stock.stats().running)
    instance, began = stock.instance, time.monotonic()
    await face.call(stock.disconnect, 0.2)
    # RIPC-LIFE-18, RIPC-LIFE-26, RIPC-LIFE-19
    assert time.monotonic() - began < 1.0
    with pytest.raises(Exception, match="closing: "):
        await face.outcome(future)
    assert raw.exists(f"{stream}:stock:{instance}:consumers") == 0


def test_a_forked_child_cannot_answer_its_parent_s_request(run: Any, stream: str, url: str) -> None:
    text = """
        import os, sys, warnings, redisipc
        warnings.simplefilter("ignore", DeprecationWarning)
        held = []
        stock = redisipc.Stream(sys.argv[1], "stock", url=sys.argv[2])
        stock.on_request(lambda request: held.append(request.later()))
        web = redisipc.Stream(sys.argv[1], "web", url=sys.argv[2])
        stock.connect(), web.connect()
        asked = web.submit(1, to="stock")
        while not held:
            pass
        pid = os.fork()
        if pid == 0:
            try:
                held[0].fulfill("from the child")
            except redisipc.ForkedError as error:
                print(type(error).__name__, flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        held[0].fulfill("from the parent")
        print(asked.result())
        web.disconnect(), stock.disconnect()
    """
    # RIPC-LIFE-29
    assert run(text, stream, url).end() == (0, "ForkedError\nfrom the parent\n")
