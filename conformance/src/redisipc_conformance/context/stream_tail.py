"""Reads the scenario's stream as it grows, on a connection of its own, so that no entry is missed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from ..wire import resp
from ..wire.address import Address
from ..wire.client import Client, ConnectionLost, RedisFailure
from .entry_log import EntryLog

RETRY_SECONDS = 0.02


class Tail:
    """`XREAD BLOCK` while the scenario runs. Redis may stop meanwhile and come back."""

    def __init__(self, address: Address, key: str, entry_log: EntryLog) -> None:
        self._client = Client(address)
        self._key = key
        self._entry_log = entry_log
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._client.close()

    async def _run(self) -> None:
        last: bytes = b"0-0"
        while True:
            try:
                reply: Any = await self._client.reply("XREAD", "COUNT", 100, "BLOCK", 0, "STREAMS", self._key, last)
            except (OSError, ConnectionLost, RedisFailure):
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if isinstance(reply, resp.ErrorReply) or not reply:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            now = time.monotonic()
            for entry, flat in reply[0][1]:
                last = entry
                self._entry_log.from_stream(self._key, entry, flat or [], now)
