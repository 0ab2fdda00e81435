"""A connection that dies silently, at an endpoint that has nothing to do: it notices within 6 s, whichever connection it is."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .faces import Face, until
from .gate import Gate

NOTICED = 6.0
LATE = 1.0
"""Seconds more for a busy machine."""


async def noticed(face: Face, stream: str, gate: Gate, kind: str, rest: float) -> float:
    """Seconds until an endpoint at rest notices that its connections of this kind are dead."""
    lost: list[Any] = []
    member = face.stream(stream, "web", lambda request: request.content)
    member.on_error(lost.append)
    await face.call(member.connect, url=gate.url)
    # On a busy machine, the first read may still be on its way through the gate.
    await until(lambda: gate.has("read") and gate.has(kind))
    await asyncio.sleep(rest)
    gate.die(kind)
    start = time.monotonic()
    await until(lambda: lost, 12.0)
    after = time.monotonic() - start
    assert "3 s of silence" in str(lost[0])
    await until(lambda: member.connected)
    return after


async def test_an_endpoint_at_rest_notices_within_6_s_that_a_connection_is_dead(
    face: Face, stream: str, url: str
) -> None:
    kinds = ("read", "write") * 3
    gates = [Gate(url) for _ in kinds]
    # They die at different moments between two looks, and between two reads.
    found = await asyncio.gather(
        *(
            noticed(face, stream, gate, kind, 0.5 * number)
            for number, (gate, kind) in enumerate(zip(gates, kinds, strict=True))
        )
    )
    assert max(found) < NOTICED + LATE, found
    await face.close()
    for gate in gates:
        gate.close()


async def test_a_dead_connection_for_wakeups_delays_nothing_by_half_a_second(face: Face, stream: str, url: str) -> None:
    """It is asked every 30 s only. Meanwhile its endpoint finds by itself what a wake-up would announce."""
    gates = [Gate(url), Gate(url)]
    stock = [
        await face.connected(stream, "stock", lambda request: request.content, url=gate.url, concurrency=4)
        for gate in gates
    ]
    web = [await face.connected(stream, "web", url=gate.url) for gate in gates]
    # It is opened after the others. Only then it can die.
    await until(lambda: all(gate.has("listen") for gate in gates))
    await until(lambda: all(member._session.endpoint.shared.listening for member in [*stock, *web]))
    for gate in gates:
        gate.die("listen")
    for number in range(20):
        start = time.monotonic()
        assert await face.call(web[number % 3 % 2].request, number, to="stock", timeout=5.0) == number
        assert time.monotonic() - start < 1.0 + LATE
    assert all(member.connected for member in [*stock, *web])
    await face.close()
    for gate in gates:
        gate.close()
