"""Makes consumers older: dumps the stream, moves their last-seen times back, and restores it at once.

`wire/rdb.py` understands the dump.
"""

from __future__ import annotations

from typing import Any

from ..context.failure import SuiteFault
from ..context.scenario_context import ScenarioContext
from ..wire import resp
from ..wire.client import Client
from ..wire.rdb import older

ATTEMPTS = 50


async def age_consumers(context: ScenarioContext, group: str, milliseconds: int) -> int:
    """Makes all consumers of the group so much older. Nothing else in the stream changes. The number of consumers."""
    client = Client(context.address)
    try:
        # The model has no DUMP, but a command of its own.
        is_model = b"redisipc_model" in bytes(await client("INFO", "server"))
        for _ in range(ATTEMPTS):
            if is_model:
                done: int | None = int(await client("MODEL.AGE", context.stream, group, milliseconds))
            else:
                done = await _once(client, context.stream, group.encode(), milliseconds)
            if done is not None:
                context.tell("runner", f"{done} consumers of {group} are {milliseconds} ms older").side = "suite"
                return done
        raise SuiteFault(f"the stream changed {ATTEMPTS} times while it was being aged")
    except ValueError as error:
        raise SuiteFault(f"this server's dump of a stream cannot be aged: {error}") from error
    finally:
        await client.close()


async def _once(client: Client, stream: str, group: bytes, milliseconds: int) -> int | None:
    """None if the stream was changed meanwhile."""
    await client("WATCH", stream)
    dump: Any = await client("DUMP", stream)
    if dump is None:
        raise SuiteFault("there is no stream to age")
    changed, count = older(dump, group, milliseconds)
    left: Any = await client("PTTL", stream)
    restore: tuple[resp.Arg, ...] = ("RESTORE", stream, max(int(left), 0), changed, "REPLACE")
    replies = await client.batch([("MULTI",), restore, ("EXEC",)])
    if replies[-1] is None:
        return None
    if isinstance(replies[-1], resp.ErrorReply) or isinstance(replies[-1][0], resp.ErrorReply):
        raise SuiteFault(f"RESTORE was refused: {replies[-1]}")
    return count
