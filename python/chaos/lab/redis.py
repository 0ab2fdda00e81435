"""The Redis of a run, and the operator's connection to it, which uses no tap."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from redisipc_conformance.server import Server
from redisipc_conformance.wire import resp
from redisipc_conformance.wire.address import Address
from redisipc_conformance.wire.client import Client, ConnectionLost, RedisFailure

COMMAND_SECONDS = 5.0
"""A command of the operator may take so many seconds."""
BACK_WITHIN = 60.0
"""Redis must reply within so many seconds after it was started again."""


class Away(Exception):
    """Redis does not reply to the operator."""


class Redis:
    """One server. Calls that may wait run in a thread, so the taps continue to work."""

    def __init__(self, server: Server, operator: str = "") -> None:
        self.server = server
        self.address = Address.parse(server.url)
        """For members and their taps."""
        self._operators = replace(self.address, username=operator, password=operator) if operator else self.address
        self._client = Client(self._operators)

    async def reply(self, *command: resp.Arg, seconds: float = COMMAND_SECONDS) -> Any:
        """Sends one command. Returns an error reply as a value. Raises Away."""
        try:
            return await asyncio.wait_for(self._client.reply(*command), seconds)
        except (asyncio.TimeoutError, OSError, ConnectionLost, RedisFailure) as error:
            await self._client.close()
            self._client = Client(self._operators)
            raise Away(f"{' '.join(map(str, command))}: {error or 'no answer'}") from error

    async def __call__(self, *command: resp.Arg, seconds: float = COMMAND_SECONDS) -> Any:
        """Sends one command. Raises Away, and RedisFailure for an error reply."""
        value = await self.reply(*command, seconds=seconds)
        if isinstance(value, resp.ErrorReply):
            raise RedisFailure(value, command)
        return value

    async def together(self, *commands: Sequence[resp.Arg], seconds: float = COMMAND_SECONDS) -> list[Any]:
        """Sends several commands on one connection. Returns error replies as values. Raises Away."""
        try:
            return await asyncio.wait_for(self._client.batch(commands), seconds)
        except (asyncio.TimeoutError, OSError, ConnectionLost, RedisFailure) as error:
            raise Away(f"{' '.join(map(str, commands[0]))} and more: {error or 'no answer'}") from error

    async def config(self, name: str, value: str | int) -> None:
        await self("CONFIG", "SET", name, str(value))

    async def setting(self, name: str) -> str:
        """The value that CONFIG GET returns."""
        value: bytes = (await self("CONFIG", "GET", name))[1]
        return value.decode()

    async def info(self, section: str) -> dict[str, str]:
        text = (await self("INFO", section)).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    async def knows(self, command: str) -> bool:
        """Whether the server has a command, for example ``XACKDEL`` or ``ACL LOG``."""
        reply = await self.reply("COMMAND", "INFO", command)
        return bool(isinstance(reply, list) and reply and reply[0])

    async def back(self) -> float:
        """Waits until it replies without an error. Returns the time of this. Raises Away after ``BACK_WITHIN`` seconds."""
        end = time.monotonic() + BACK_WITHIN
        problem: object = ""
        while time.monotonic() < end:
            try:
                problem = await self.reply("PING", seconds=0.5)
                if problem == b"PONG":
                    return time.monotonic()
            except Away as error:
                problem = error
            await asyncio.sleep(0.01)
        raise Away(f"not back within {BACK_WITHIN:g} s: {problem}")

    async def writable(self) -> float:
        """Waits until it accepts writes. Returns the time of this. Raises Away after ``BACK_WITHIN`` seconds."""
        end = time.monotonic() + BACK_WITHIN
        while isinstance(reply := await self.reply("SET", "chaos:probe", "1", "PX", 1000), resp.ErrorReply):
            if time.monotonic() > end:
                raise Away(f"no writes within {BACK_WITHIN:g} s: {reply}")
            await asyncio.sleep(0.01)
        return time.monotonic()

    # its process

    async def kill(self) -> None:
        await asyncio.to_thread(self.server.kill)

    async def stop(self) -> None:
        """Ends it in order, so that the data is saved."""
        await asyncio.to_thread(self.server.stop)

    async def start(self, *, empty: bool = False) -> None:
        await asyncio.to_thread(lambda: self.server.start(empty=empty))

    async def close(self) -> None:
        await self._client.close()
        await asyncio.to_thread(self.server.close)


def text(value: Any) -> Any:
    """The value with all bytes as strings, also in lists, for rows and messages."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [text(each) for each in value]
    return value
