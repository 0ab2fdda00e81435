"""Being found and finding others: registration, siblings, handing over, wake-ups (sections 6, 11 and 18)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from . import pauses, routing
from .claims import starts_of
from .giving import GIVE_BACK_IDLE_MS, LATE_AFTER, counts_as_given_back
from .mutation import mutant
from .ports import EndpointPort
from .redis_errors import PERMANENT
from .resp import Command, Connection, Lost, RedisError
from .siblings import Siblings
from .wire import PENDING, parse

REGISTRATION_EXPIRY = 100
_REFRESH = 8.0
_REFRESH_BEFORE_REQUEST = 30.0
_OWN_PAGE = 1000
_POLLED = 100


class Group(Siblings):
    def __init__(self, endpoint: EndpointPort) -> None:
        super().__init__(endpoint)
        self._refreshed = 0.0
        self.listening = False
        self._connection: Connection | None = None
        self._poll_now = asyncio.Event()
        self._refresh_now = asyncio.Event()
        self._late = False
        self._registered = 0

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
        expiry = REGISTRATION_EXPIRY * 1000 if mutant("expiry-in-milliseconds") else REGISTRATION_EXPIRY
        lines: list[Command] = [("LREM", key, 0, names.consumer), ("LPUSH", key, *listed), ("EXPIRE", key, expiry)]
        if mutant("lists-itself-again"):
            lines.pop(0)
            lines.insert(0, lines[0])
        if mutant("list-without-expiry"):
            lines.pop()
        if mutant("multi-over-two-keys"):
            lines.insert(0, ("XGROUP", "CREATECONSUMER", names.stream, names.group, names.consumer))
        if not mutant("asks-though-unregistered"):
            # Until Redis has the list nothing is asked: the old one may have gone.
            self._refreshed = float("-inf")
        if mutant("expiry-outside-the-multi"):
            last = lines.pop()
            self._check(await self.endpoint.transaction(*lines))
            await self.endpoint.write(last)
        else:
            self._check(await self.endpoint.transaction(*lines))
        self._refreshed = asyncio.get_running_loop().time()
        self._registered += 1
        await self.announce()

    async def announce(self) -> None:
        names = self.endpoint.names
        features = ["wakeup"] if self.listening or mutant("announces-wakeup-while-deaf") else []
        about: dict[str, Any] = {"spec": "1.0", "implementation": "model", "version": "1", "language": "python"}
        about["features"] = features
        if mutant("announces-a-number-for-its-spec"):
            about["spec"] = 1.0
        expiry = () if mutant("announcement-without-expiry") else ("EX", REGISTRATION_EXPIRY)
        await self.endpoint.write(("SET", names.key(b"announce"), json.dumps(about), *expiry))

    def _check(self, reply: list[Any] | RedisError) -> None:
        """Redis queues a command for a key of another type, and EXEC tells its error (RIPC-RECOV-15)."""
        if isinstance(reply, RedisError):
            raise reply
        for each in reply:
            if isinstance(each, RedisError) and not mutant("errors-inside-exec-unseen"):
                self.endpoint.noticed(each)
                raise each

    async def deregister(self) -> None:
        """Out of the list first, so that nobody hands over more; then its own consumers, as far as nothing is pending."""
        endpoint, names = self.endpoint, self.endpoint.names
        if not mutant("stays-registered") and not (
            mutant("leaves-its-first-registration-only") and self._registered > 1
        ):
            await endpoint.write(("LREM", names.key(b"consumers"), 0, names.consumer))
        if not mutant("announcement-left"):
            await endpoint.write(("DEL", names.key(b"announce")))
        await self._give_back_all(names.consumer)
        if not mutant("keeps-unstarted-requests"):
            await self._give_back_all(names.dispatcher)
        await self.delete_own()

    async def _give_back_all(self, consumer: bytes) -> None:
        """What was handed to this instance or read by it and is not in progress: others decide about it."""
        endpoint, names = self.endpoint, self.endpoint.names
        await endpoint.cleaning.clean_now()
        rows: list[Any] = []
        while True:
            start = b"(" + rows[-1][0] if rows else b"-"
            page = (await endpoint.write(("XPENDING", names.stream, names.group, start, "+", _OWN_PAGE, consumer)))[0]
            rows += page if isinstance(page, list) else []
            if not isinstance(page, list) or len(page) < _OWN_PAGE:
                break
        free = [row for row in rows if row[0] not in endpoint.responder.held and not counts_as_given_back(row[2])]
        late = [row[0] for row in free if row[2] >= LATE_AFTER * 1000]
        soon = [row[0] for row in free if row[0] not in late]
        for ids, min_idle in ((soon, 0), (late, int(LATE_AFTER * 1000))):
            if ids:
                await endpoint.claims.write_back(ids, min_idle)
            if ids and mutant("give-back-on-leave-rounds-the-count"):
                await self._count_nine(ids)

    async def _count_nine(self, ids: list[bytes]) -> None:
        """Only for a mutant."""
        names = self.endpoint.names
        line = (
            "XCLAIM",
            names.stream,
            names.group,
            names.dispatcher,
            0,
            *ids,
            "IDLE",
            GIVE_BACK_IDLE_MS,
            "RETRYCOUNT",
            9,
        )
        await self.endpoint.write((*line, "JUSTID"))

    async def register_late(self) -> None:
        """Only for mutants."""
        if not self._late:
            self._late = True
            await asyncio.sleep(0.3)
            await self.register()

    # regular work

    async def refresh_all(self) -> None:
        pause = 14.0 if mutant("refreshes-every-14-s") else _REFRESH
        while True:
            await self.endpoint.up.wait()
            began = asyncio.get_running_loop().time()
            with contextlib.suppress(Lost, RedisError):
                await self._refresh()
            passed = 0.0 if mutant("pauses-behind-slow-replies") else asyncio.get_running_loop().time() - began
            self._refresh_now.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._refresh_now.wait(), pause - passed)

    async def _refresh(self) -> None:
        endpoint, names = self.endpoint, self.endpoint.names
        if not mutant("expiry-never-renewed"):
            more = ("GT",) if mutant("needs-redis-7-to-renew") else ()
            lines = [("EXPIRE", names.key(b"consumers"), REGISTRATION_EXPIRY, *more)]
            if not mutant("announcement-never-renewed") and not mutant("announcement-without-expiry"):
                lines.append(("EXPIRE", names.key(b"announce"), REGISTRATION_EXPIRY))
            replies = await endpoint.write(*lines)
            if 0 in replies and not mutant("never-registers-again") and not mutant("registers-after-the-first-request"):
                await self.register()
            elif not isinstance(replies[0], RedisError):
                self._refreshed = asyncio.get_running_loop().time()
        if mutant("expires-the-stream"):
            await endpoint.write(("EXPIRE", names.stream, 604_800))
        if mutant("scans-keys"):
            await endpoint.write(("SCAN", 0, "MATCH", names.stream + b":*:consumers"))
        if not mutant("own-list-left-alone-when-idle"):
            await self.poll()
        if not mutant("dispatcher-left-alone-when-idle"):
            # On 7.0 a read of new entries that finds none does not count as use; one of its own list behind its end does.
            where = ("STREAMS", names.stream, "18446744073709551615-0")
            await endpoint.write(("XREADGROUP", "GROUP", names.group, names.dispatcher, "COUNT", 1, *where))
        if not mutant("siblings-found-once"):
            await self.find_siblings()

    async def fresh(self) -> None:
        """Before a request is written: a response could not be handed to a member whose list has expired (RIPC-LIFE-27)."""
        names = self.endpoint.names
        late = mutant("asks-before-it-refreshes") or mutant("registers-after-the-first-request")
        if late or mutant("never-registers"):
            return
        while asyncio.get_running_loop().time() - self._refreshed > _REFRESH_BEFORE_REQUEST:
            reply = (await self.endpoint.write(("EXPIRE", names.key(b"consumers"), REGISTRATION_EXPIRY)))[0]
            if reply == 0:
                try:
                    await self.register()
                except RedisError:
                    await asyncio.sleep(0.5)
            elif not isinstance(reply, RedisError):
                self._refreshed = asyncio.get_running_loop().time()
            else:
                await asyncio.sleep(0.5)

    async def poll_all(self) -> None:
        """While requests are outstanding, a sibling may put a response into its own list at any time."""
        while True:
            busy = bool(self.endpoint.requester.outstanding) or mutant("polls-always")
            wait = 2.0 if mutant("own-list-every-2-s") else 0.1 if busy else 0.25
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._poll_now.wait(), wait)
            woken = self._poll_now.is_set()
            self._poll_now.clear()
            await self.endpoint.up.wait()
            if (woken or busy) and not (mutant("own-list-when-woken-only") and not woken):
                with contextlib.suppress(Lost, RedisError):
                    await self.poll()

    async def poll(self) -> None:
        """Its own consumer's pending list: what others handed over."""
        after: bytes | None = b"0"
        while after is not None:
            after = await self._poll_page(after)
            if mutant("own-list-a-page-at-a-time"):
                return

    async def _poll_page(self, after: bytes) -> bytes | None:
        """The ID behind which the next page begins, if there is one."""
        endpoint, names = self.endpoint, self.endpoint.names
        where = ("STREAMS", names.stream, after)
        count = 20 if mutant("own-list-a-page-at-a-time") else _POLLED
        command = ("XREADGROUP", "GROUP", names.group, names.consumer, "COUNT", count, *where)
        reply = (await endpoint.write(command))[0]
        if isinstance(reply, RedisError):
            raise reply
        page: list[Any] = reply[0][1] if reply else []
        for entry_id, raw in page:
            if mutant("own-list-not-routed-when-idle") and not endpoint.requester.outstanding:
                continue
            if mutant("own-list-bodiless-left") and raw is None:
                continue
            if raw is not None and await self._is_request(entry_id, raw):
                continue
            routing.take(endpoint, entry_id, raw)
        return page[-1][0] if len(page) == count else None

    async def _is_request(self, entry_id: bytes, raw: list[bytes]) -> bool:
        """A request is claimed for the dispatcher, and routed like a new one (RIPC-GROUP-38)."""
        endpoint, names = self.endpoint, self.endpoint.names
        entry = parse(entry_id, raw)
        if entry.problem or entry.status != PENDING or entry.destination != names.group:
            return False
        if mutant("requests-in-the-own-list-left"):
            return True
        if mutant("requests-in-the-own-list-not-claimed"):
            return False
        rows, reply = await endpoint.write(
            ("XPENDING", names.stream, names.group, entry_id, entry_id, 1, names.consumer),
            ("XCLAIM", names.stream, names.group, names.dispatcher, 0, entry_id, "JUSTID"),
        )
        if isinstance(rows, list) and rows and isinstance(reply, list) and entry_id in reply:
            count = rows[0][3]
            starts = 1 if mutant("starts-of-the-own-list-not-counted") else starts_of(count)
            endpoint.responder.take(entry, starts, count > 3)
        return True

    # wake-ups

    async def listen(self) -> None:
        """A connection that only listens; nothing but latency depends on it."""
        endpoint, permanent = self.endpoint, pauses.permanent()
        while endpoint.options.wakeups:
            await endpoint.up.wait()
            forbidden = False
            try:
                self._connection = await Connection.open(endpoint.url, 5.0)
                await self._hear(self._connection)
            except RedisError as error:
                forbidden = error.kind in PERMANENT
            except (Lost, asyncio.TimeoutError):
                pass
            if self.listening:
                self.listening = False
                permanent.reset()
                with contextlib.suppress(Lost):
                    await self.announce()
            grows = forbidden and not mutant("subscribes-again-every-second")
            await (permanent.wait() if grows else asyncio.sleep(1.0))

    async def _hear(self, connection: Connection) -> None:
        names = self.endpoint.names
        channels = (names.key(b"wakeup"), names.group_wakeup)
        pushed = connection.listen(*(channels[1:] if mutant("hears-the-group-only") else channels))
        if mutant("wakeup-announced-unconfirmed"):
            self.listening = True
            await self.announce()
        while True:
            message = await pushed.get()
            if isinstance(message, RedisError):
                connection.close()
                raise message
            if message is None:
                return
            if message[0] == b"subscribe" and message[1] == channels[1]:
                self.listening = True
                await self.announce()
            elif message[0] == b"message" and message[2] and mutant("reads-the-wakeups-payload"):
                self.endpoint.report("wakeup", f"a wake-up says {message[2][:40]!r}", {})
            elif message[0] == b"message" and message[2] and mutant("hears-empty-wakeups-only"):
                continue
            elif message[0] == b"message" and message[1] == channels[0]:
                self._poll_now.set()
            elif message[0] == b"message":
                self.endpoint.claims.woken()

    async def close_listening(self) -> None:
        if self._connection is not None:
            self._connection.close()
