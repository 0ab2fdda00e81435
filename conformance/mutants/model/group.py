"""Being found and finding others: registration, siblings, handing over, wake-ups (sections 6, 11 and 18)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from . import routing
from .mutation import mutant
from .resp import Command, Connection, Lost, RedisError
from .wire import instance_of

if TYPE_CHECKING:
    from .endpoint import Endpoint

EXPIRY = 100
_BURY = 120_000


class Group:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.siblings: dict[bytes, bool] = {}
        """Other registered instances; whether each listens to wake-ups."""
        self.listening = False
        self._connection: Connection | None = None
        self._poll_hint = asyncio.Event()
        self._refresh_hint = asyncio.Event()
        self._late = False

    # being found

    async def register(self) -> None:
        """Raises RedisError."""
        names = self.endpoint.names
        key = names.key(b"consumers")
        if mutant("never-registers"):
            return
        listed = [names.consumer]
        if mutant("lists-the-dispatcher"):
            listed.append(names.dispatcher)
        if mutant("lists-a-second-consumer"):
            listed.append(b"consumer_%b_1" % names.instance)
        if mutant("lists-under-another-key"):
            key = names.key(b"consumer")
        expiry = EXPIRY * 1000 if mutant("expiry-in-milliseconds") else EXPIRY
        lines: list[Command] = [("LREM", key, 0, names.consumer), ("LPUSH", key, *listed), ("EXPIRE", key, expiry)]
        if mutant("lists-itself-again"):
            lines.pop(0)
            lines.insert(0, lines[0])
        if mutant("list-without-expiry"):
            lines.pop()
        if mutant("multi-over-two-keys"):
            lines.insert(0, ("XGROUP", "CREATECONSUMER", names.stream, names.group, names.consumer))
        if mutant("expiry-outside-the-multi"):
            last = lines.pop()
            _check(await self.endpoint.transaction(*lines))
            await self.endpoint.write(last)
        else:
            _check(await self.endpoint.transaction(*lines))
        await self.announce()

    async def announce(self) -> None:
        names = self.endpoint.names
        features = ["wakeup"] if self.listening or mutant("announces-wakeup-while-deaf") else []
        about: dict[str, Any] = {"spec": "1.0", "implementation": "model", "version": "1", "language": "python"}
        about["features"] = features
        if mutant("announces-a-number-for-its-spec"):
            about["spec"] = 1.0
        expiry = () if mutant("announcement-without-expiry") else ("EX", EXPIRY)
        await self.endpoint.write(("SET", names.key(b"announce"), json.dumps(about), *expiry))

    async def deregister(self) -> None:
        """Out of the list first, so that nobody hands over more; then the own consumers, as far as nothing is pending."""
        endpoint, names = self.endpoint, self.endpoint.names
        if not mutant("stays-registered"):
            await endpoint.write(("LREM", names.key(b"consumers"), 0, names.consumer))
        if not mutant("announcement-left"):
            await endpoint.write(("DEL", names.key(b"announce")))
        await self._give_back_all(names.consumer)
        if not mutant("keeps-unstarted-requests"):
            await self._give_back_all(names.dispatcher)
        for consumer in (names.dispatcher, names.consumer):
            rows = await endpoint.write(("XPENDING", names.stream, names.group, "-", "+", 1, consumer))
            if (rows[0] == [] or mutant("deletes-consumers-with-pending")) and not mutant("leaves-its-consumers"):
                await endpoint.write(("XGROUP", "DELCONSUMER", names.stream, names.group, consumer))

    async def _give_back_all(self, consumer: bytes) -> None:
        """What was handed to this instance or read by it and is not in progress: others decide about it."""
        endpoint, names = self.endpoint, self.endpoint.names
        await endpoint.clean_now()
        rows = (await endpoint.write(("XPENDING", names.stream, names.group, "-", "+", 1000, consumer)))[0]
        ids = [row[0] for row in rows if row[0] not in endpoint.responder.held] if isinstance(rows, list) else []
        if ids:
            await endpoint.claims.write_back(ids)

    async def register_late(self) -> None:
        """Only for mutants."""
        if not self._late:
            self._late = True
            await asyncio.sleep(0.3)
            await self.register()

    # regular work

    async def refresh_all(self) -> None:
        while True:
            await self.endpoint.up.wait()
            with contextlib.suppress(Lost, RedisError):
                await self._refresh()
            self._refresh_hint.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._refresh_hint.wait(), 10.0)

    async def _refresh(self) -> None:
        endpoint, names = self.endpoint, self.endpoint.names
        if not mutant("expiry-never-renewed"):
            more = ("GT",) if mutant("needs-redis-7-to-renew") else ()
            lines = [("EXPIRE", names.key(b"consumers"), EXPIRY, *more)]
            if not mutant("announcement-never-renewed") and not mutant("announcement-without-expiry"):
                lines.append(("EXPIRE", names.key(b"announce"), EXPIRY))
            replies = await endpoint.write(*lines)
            if 0 in replies and not mutant("never-registers-again") and not mutant("registers-after-the-first-request"):
                await self.register()
        if mutant("expires-the-stream"):
            await endpoint.write(("EXPIRE", names.stream, 604_800))
        if mutant("scans-keys"):
            await endpoint.write(("SCAN", 0, "MATCH", names.stream + b":*:consumers"))
        if not mutant("own-list-left-alone-when-idle"):
            await self.poll()
        if not mutant("dispatcher-left-alone-when-idle"):
            # On 7.0 a read of new entries that finds none does not count as use; one of the own list behind its end does.
            where = ("STREAMS", names.stream, "18446744073709551615-0")
            await endpoint.write(("XREADGROUP", "GROUP", names.group, names.dispatcher, "COUNT", 1, *where))
        if not mutant("siblings-found-once"):
            await self.find_siblings()

    async def poll_all(self) -> None:
        """While requests are outstanding, a sibling may put a response into the own list at any time."""
        while True:
            busy = bool(self.endpoint.requester.outstanding) or mutant("polls-always")
            wait = 2.0 if mutant("own-list-every-2-s") else 0.1 if busy else 0.25
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._poll_hint.wait(), wait)
            woken = self._poll_hint.is_set()
            self._poll_hint.clear()
            await self.endpoint.up.wait()
            if (woken or busy) and not (mutant("own-list-when-woken-only") and not woken):
                with contextlib.suppress(Lost, RedisError):
                    await self.poll()

    async def poll(self) -> None:
        """The own consumer's pending list: what others handed over."""
        endpoint, names = self.endpoint, self.endpoint.names
        where = ("STREAMS", names.stream, "0")
        command = ("XREADGROUP", "GROUP", names.group, names.consumer, "COUNT", 100, *where)
        reply = (await endpoint.write(command))[0]
        if isinstance(reply, RedisError):
            raise reply
        for entry_id, raw in reply[0][1] if reply else []:
            if mutant("own-list-not-routed-when-idle") and not endpoint.requester.outstanding:
                continue
            if mutant("own-list-bodiless-left") and raw is None:
                continue
            routing.take(endpoint, entry_id, raw, handed=True)

    # finding others

    async def find_siblings(self) -> None:
        endpoint, names = self.endpoint, self.endpoint.names
        rows = (await endpoint.write(("XINFO", "CONSUMERS", names.stream, names.group)))[0]
        if isinstance(rows, RedisError):
            raise rows
        idle: dict[bytes, list[tuple[bytes, int, int]]] = {}
        for row in rows:
            info = dict(zip(row[0::2], row[1::2], strict=True))
            instance = instance_of(info[b"name"])
            if instance is not None and instance != names.instance:
                idle.setdefault(instance, []).append((info[b"name"], info[b"pending"], info[b"idle"]))
        found = {}
        for instance, consumers in idle.items():
            listed, wakeup = await self._look_up(instance, consumers)
            if listed:
                found[instance] = wakeup
            await self._bury(consumers, bool(listed))
        self.siblings = found

    async def _look_up(
        self, instance: bytes, consumers: list[tuple[bytes, int, int]] | None = None
    ) -> tuple[Any, bool]:
        """Its available consumers, and whether it listens to wake-ups."""
        names = self.endpoint.names
        listed, announced = await self.endpoint.write(
            ("LRANGE", names.key(b"consumers", instance), 0, -1), ("GET", names.key(b"announce", instance))
        )
        if isinstance(listed, RedisError):
            raise listed
        if mutant("idle-time-as-proof-of-life"):
            listed = await self._recently_used(instance)
        wakeup = False
        if mutant("chokes-on-odd-announcements") and announced:
            wakeup = "wakeup" in json.loads(announced)["features"]
        elif isinstance(announced, bytes):
            with contextlib.suppress(ValueError, AttributeError, TypeError):
                said = json.loads(announced)
                major = str(said.get("spec", "")).partition(".")[0]
                if major == "1" or "spec" not in said or mutant("any-version-believed"):
                    wakeup = "wakeup" in said.get("features", [])
        if mutant("wants-an-announcement") and not announced:
            return [], False
        return listed, wakeup

    async def _recently_used(self, instance: bytes) -> list[bytes]:
        """Only for mutants: the consumers of an instance that were used in the last 30 s."""
        names = self.endpoint.names
        rows = (await self.endpoint.write(("XINFO", "CONSUMERS", names.stream, names.group)))[0]
        infos = [dict(zip(row[0::2], row[1::2], strict=True)) for row in rows]
        return [i[b"name"] for i in infos if i[b"name"] == b"consumer_%b_0" % instance and i[b"idle"] < 30_000]

    async def _bury(self, consumers: list[tuple[bytes, int, int]], registered: bool) -> None:
        """Consumers of an instance that is gone for long."""
        least = 30_000 if mutant("buries-after-30-s") else _BURY
        if mutant("buries-the-registered"):
            registered = False
        if registered or not all(idle > least for _, _, idle in consumers):
            return
        if any(pending for _, pending, _ in consumers) and not mutant("buries-with-pending"):
            return
        names = self.endpoint.names
        for name, _, _ in consumers:
            await self.endpoint.write(("XGROUP", "DELCONSUMER", names.stream, names.group, name))

    # handing over

    async def hand_over(self, entry_id: bytes, instance: bytes) -> None:
        """A response that another instance of the group waits for."""
        grace = 0.0 if mutant("orphans-dropped-at-once") else 12.0
        for last in (False, True):
            while True:
                await self.endpoint.up.wait()
                try:
                    listed, wakeup = await self._look_up(instance)
                    break
                except (Lost, RedisError):
                    await asyncio.sleep(0.1)
            if listed:
                with contextlib.suppress(Lost):
                    await self._give(entry_id, instance, listed[0], wakeup)
                return
            if not last:
                await asyncio.sleep(grace)
        if not mutant("orphans-kept"):
            self.endpoint.settle(entry_id, None if mutant("orphans-acknowledged-only") else entry_id)

    async def _give(self, entry_id: bytes, instance: bytes, consumer: bytes, wakeup: bool) -> None:
        names = self.endpoint.names
        if mutant("hands-over-to-the-dispatcher"):
            consumer = b"dispatcher_%b_0" % instance
        if mutant("hands-over-to-a-guessed-consumer"):
            consumer = b"consumer_%b_0" % instance
        min_idle = 1000 if mutant("hands-over-with-a-min-idle") else 0
        lines: list[Command] = [("XCLAIM", names.stream, names.group, consumer, min_idle, entry_id, "JUSTID")]
        if wakeup and self.endpoint.options.wakeups:
            lines.append(("PUBLISH", names.key(b"wakeup", instance), ""))
        await self.endpoint.write(*lines)
        if mutant("handed-over-and-acknowledged"):
            self.endpoint.settle(entry_id)
        if mutant("handed-over-and-deleted"):
            self.endpoint.settle(delete=entry_id)

    # wake-ups

    async def listen(self) -> None:
        """A connection that only listens; nothing but latency depends on it."""
        endpoint = self.endpoint
        while endpoint.options.wakeups:
            await endpoint.up.wait()
            with contextlib.suppress(Lost, RedisError, asyncio.TimeoutError):
                self._connection = await Connection.open(endpoint.url, 5.0)
                await self._hear(self._connection)
            if self.listening:
                self.listening = False
                with contextlib.suppress(Lost):
                    await self.announce()
            await asyncio.sleep(1.0)

    async def _hear(self, connection: Connection) -> None:
        names = self.endpoint.names
        channels = (names.key(b"wakeup"), names.group_wakeup)
        pushed = connection.listen(*channels)
        while True:
            message = await pushed.get()
            if message is None or isinstance(message, RedisError):
                return
            if message[0] == b"subscribe" and message[1] == channels[1]:
                self.listening = True
                await self.announce()
            elif message[0] == b"message" and message[2] and mutant("reads-the-wakeups-payload"):
                self.endpoint.report("wakeup", f"a wake-up says {message[2][:40]!r}", {})
            elif message[0] == b"message" and message[1] == channels[0]:
                self._poll_hint.set()
            elif message[0] == b"message":
                self.endpoint.claims.woken()

    async def close_listening(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _check(reply: Any) -> None:
    if isinstance(reply, RedisError):
        raise reply
