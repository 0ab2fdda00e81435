"""Faults that change the data in Redis without the members' knowledge."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import ClassVar

from .base import Fault

WAIT = 5.0
"""A fault waits for at most so many seconds until there is something to hit."""


class FlushAll(Fault):
    name = "flushall"
    what = "FLUSHALL: stream, groups and lists are gone."
    to_redis = "empty"
    quiet = 6.0
    _keys = 0

    async def strike(self) -> None:
        self._keys = await self.redis("DBSIZE")
        await self.redis("FLUSHALL")

    async def proof(self) -> str:
        return f"{self._keys} keys flushed" if self._keys else ""


class StreamDeleted(Fault):
    name = "stream-deleted"
    what = "DEL of the stream, its groups with it."
    to_redis = "group"
    quiet = 6.0
    _gone = 0

    async def strike(self) -> None:
        self._gone = await self.redis("DEL", self.lab.site.stream)

    async def proof(self) -> str:
        return f"DEL answered {self._gone}" if self._gone else ""


class StreamRenamed(Fault):
    name = "stream-renamed"
    what = "RENAME gives the stream another name for 2 s, then the stream is deleted."
    to_redis = "group"
    seconds = (1.5, 2.5)
    quiet = 6.0
    _length = -1

    async def strike(self) -> None:
        await self.redis("RENAME", self.lab.site.stream, "elsewhere")
        self._length = (await self.redis("XINFO", "GROUPS", "elsewhere")).__len__()

    async def proof(self) -> str:
        return f"the stream with {self._length} groups was moved away" if self._length >= 0 else ""

    async def mend(self) -> None:
        await self.redis("DEL", "elsewhere")


class StreamTrimmed(Fault):
    name = "stream-trimmed"
    what = "XTRIM MAXLEN 0: all entries are deleted, the groups stay."
    to_redis = "trimmed"
    quiet = 6.0
    _gone = 0

    async def strike(self) -> None:
        # The stream is empty between two requests, so one attempt may hit nothing.
        for _ in range(200):
            self._gone += await self.redis("XTRIM", self.lab.site.stream, "MAXLEN", 0)
            if self._gone >= 3:
                return

    async def proof(self) -> str:
        return f"{self._gone} entries trimmed" if self._gone else ""


class WrongType(Fault):
    name = "wrong-type"
    what = "For 3 s, the key of the stream is a string."
    to_redis = "group"
    seconds = (2.5, 3.5)
    quiet = 6.0

    async def strike(self) -> None:
        await self.redis("SET", self.lab.site.stream, "oops")

    async def proof(self) -> str:
        return self.refused("WRONGTYPE")

    async def mend(self) -> None:
        await self.redis("DEL", self.lab.site.stream)


class GroupDestroyed(Fault):
    group: ClassVar[str]
    to_redis = "group"
    quiet = 6.0
    _gone = 0

    async def strike(self) -> None:
        self._gone = await self.redis("XGROUP", "DESTROY", self.lab.site.stream, self.group)

    async def proof(self) -> str:
        return f"XGROUP DESTROY answered {self._gone}" if self._gone else ""


class StockDestroyed(GroupDestroyed):
    name = "group-destroyed"
    what = "XGROUP DESTROY of the group that answers."
    group = "stock"


class WebDestroyed(GroupDestroyed):
    name = "asking-group-destroyed"
    what = "XGROUP DESTROY of the group that asks."
    group = "web"


class ConsumerDeleted(Fault):
    name = "consumer-deleted"
    what = "XGROUP DELCONSUMER of a living member's dispatcher, with what is pending for it."
    to_redis = "group"
    quiet = 6.0
    _done = ""

    async def strike(self) -> None:
        # After a fault that deleted the group, the group may have no member for a moment.
        end = monotonic() + WAIT
        while not (names := await self._dispatchers()) and monotonic() < end:
            await asyncio.sleep(0.1)
        if not names:
            return
        name = self.random.choice(names)
        gone = await self.redis("XGROUP", "DELCONSUMER", self.lab.site.stream, "stock", name)
        self._done = f"a dispatcher with {gone} pending entries was deleted"

    async def _dispatchers(self) -> list[bytes]:
        consumers = await self.redis.reply("XINFO", "CONSUMERS", self.lab.site.stream, "stock")
        names = [row[row.index(b"name") + 1] for row in consumers] if isinstance(consumers, list) else []
        return [name for name in names if name.startswith(b"dispatcher_")]

    async def proof(self) -> str:
        return self._done


class ClientKill(Fault):
    """CLIENT KILL: Redis itself closes connections."""

    kind: ClassVar[str]
    _killed = 0

    async def strike(self) -> None:
        self._killed = await self.redis("CLIENT", "KILL", "TYPE", self.kind, "SKIPME", "yes")

    async def proof(self) -> str:
        return f"CLIENT KILL answered {self._killed}" if self._killed else ""


class ClientKillNormal(ClientKill):
    name = "client-kill"
    what = "CLIENT KILL of all connections that write and read."
    kind = "normal"
    to_members = "cut off"
    after = 0.5

    async def strike(self) -> None:
        self.members = self.lab.free()
        await super().strike()


class ClientKillPubSub(ClientKill):
    name = "client-kill-pubsub"
    what = "CLIENT KILL of all connections that hear wake-ups."
    kind = "pubsub"


class IdleTimeout(Fault):
    name = "idle-timeout"
    what = "CONFIG SET timeout 1, and nobody asks for 6 s: Redis ends connections that are idle for a second."
    to_members = "cut off"
    seconds = (6.0, 6.0)

    async def strike(self) -> None:
        self.members = self.lab.free()
        self._opened = self._connections()
        await self.redis.config("timeout", 1)
        for member in self.members:
            member.tell(f"hush {self.length}")

    def _connections(self) -> int:
        return sum(member.tap.opened for member in self.lab.members if member.tap is not None)

    async def proof(self) -> str:
        opened = self._connections() - self._opened
        return f"{opened} connections opened again" if opened else ""

    async def mend(self) -> None:
        await self.redis.config("timeout", 0)
