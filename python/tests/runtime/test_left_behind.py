"""An object that is dropped without ``disconnect()`` or ``close()`` says so by its name, and still leaves."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
import weakref
from typing import Any

import pytest
import redis

from .faces import Face, until

ENDS = """
import sys, warnings
warnings.simplefilter("always")
face, stream = sys.argv[1:]
if face == "threads":
    from redisipc import Stream
    stock = Stream(stream, "stock").connect()
    asked = stock.submit(1, to="nobody") if "{pending}" else None
else:
    import asyncio
    from redisipc.asyncio import Stream
    async def main():
        global stock
        stock = await Stream(stream, "stock").connect()
        asked = stock.submit(1, to="nobody") if "{pending}" else None
    asyncio.run(main())
print("end", flush=True)
"""


def heard(kept: list[Any]) -> list[str]:
    """The ResourceWarnings of dropped things. A thread that called one of them may hold it a moment longer."""
    held = [weakref.ref(each) for each in kept]
    end = time.monotonic() + 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kept.clear()
        gc.collect()
        while not caught and any(each() is not None for each in held) and time.monotonic() < end:
            time.sleep(0.001)
            gc.collect()
    return [str(one.message) for one in caught if one.category is ResourceWarning]


@pytest.mark.parametrize("pending", [0, 3])
async def test_a_stream_that_is_dropped_is_named_and_leaves(
    face: Face, stream: str, raw: redis.Redis, pending: int
) -> None:
    kept = [face.module.Stream(stream, "stock")]
    # Not in another thread, which may keep the Stream for a moment.
    connecting = kept[0].connect()
    if face.name == "asyncio":
        await connecting
    del connecting
    futures = [kept[0].submit(number, to="nobody", timeout=20) for number in range(pending)]
    said = heard(kept)
    assert len(said) == 1
    assert f"<{face.name} Stream {stream!r} group 'stock' up> was dropped while it was connected" in said[0]
    assert "disconnect()" in said[0]
    for future in futures:
        with pytest.raises(Exception, match="closed"):
            await asyncio.wait_for(face.outcome(future), 5)
    await until(lambda: not raw.xinfo_consumers(stream, "stock"))


async def test_a_stream_that_was_disconnected_is_dropped_in_silence(face: Face, stream: str) -> None:
    kept = [face.module.Stream(stream, "stock"), face.module.Stream(stream, "never connected")]
    await face.call(kept[0].connect)
    await face.call(kept[0].disconnect)
    assert heard(kept) == []


async def test_a_caller_that_is_dropped_is_named(face: Face, stream: str, raw: redis.Redis) -> None:
    await face.connected(stream, "stock", lambda request: 1)
    kept = [face.module.Caller(stream)]
    assert await face.call(kept[0].request, 1, to="stock") == 1
    said = heard(kept)
    await until(lambda: not [one for one in raw.client_list() if f"{stream}:caller" in one["name"]])
    assert said == [
        f"<{face.name} Caller {stream!r}> was dropped with open connections (1); call close(), or use it as a "
        "context manager"
    ]
    kept = [face.module.Caller(stream), face.module.Caller(stream)]
    assert await face.call(kept[0].request, 1, to="stock") == 1
    await face.call(kept[0].close)
    assert heard(kept) == []


@pytest.mark.real("place in another process")
@pytest.mark.parametrize("pending", ["", "pending"])
@pytest.mark.parametrize("name", ["threads", "asyncio"])
def test_a_program_that_ends_connected_is_told_and_has_left(
    run: Any, name: str, stream: str, raw: redis.Redis, pending: str
) -> None:
    code, said = run(ENDS.replace("{pending}", pending), name, stream).end()
    assert (code, said[:4]) == (0, "end\n"), said
    assert f"ResourceWarning: <{name} Stream {stream!r} group 'stock'> was connected when" in said
    assert said.count("ResourceWarning:") == 1
    assert raw.xinfo_consumers(stream, "stock") == []
