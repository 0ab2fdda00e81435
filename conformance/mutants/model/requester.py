"""Requests of this instance: the ledger, timeouts, the last look (sections 8 and 10)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from . import content, pauses
from .last_look import LastLook
from .mutation import mutant
from .options import check_seconds
from .pauses import Pauses
from .ports import EndpointPort
from .redis_errors import PERMANENT, REFUSAL, is_unknown
from .resp import Lost, RedisError
from .send import Send
from .wire import FULFILLED, PENDING, Entry, add, check_name, new_id

_EARLY_END = 0.5


class Requester(LastLook):
    def __init__(self, endpoint: EndpointPort) -> None:
        super().__init__(endpoint)
        self.outstanding: dict[bytes, Send] = {}
        self.asked: set[bytes] = set()
        self._turn = asyncio.Semaphore(10 if mutant("ten-sends-at-a-time") else 1)
        self._settled_late: dict[bytes, list[Entry]] = {}

    async def send(
        self, to: str, value: Any, timeout: Any = None, begun: Callable[[Send], None] | None = None
    ) -> tuple[str, Any]:
        """The outcome. Raises ValueError, before anything is written, for what cannot be sent."""
        endpoint = self.endpoint
        if endpoint.closing and not mutant("sends-after-disconnect"):
            raise ValueError("the endpoint is closed")
        if getattr(endpoint, "process", None) not in (None, os.getpid()) and not mutant("sends-in-a-forked-child"):
            raise ValueError("the endpoint belongs to the parent of this process")
        blank = mutant("sends-to-a-blank-group") and isinstance(to, str)
        destination = to.encode() if blank else check_name("destination", to)
        if mutant("timeout-of-a-send-ignored"):
            timeout = None
        seconds = check_seconds("timeout", endpoint.options.timeout if timeout is None else timeout)
        text = content.encode(value)
        if len(self.outstanding) >= endpoint.options.max_outstanding:
            raise ValueError("too many requests are outstanding")
        send = Send(new_id(text), destination, text)
        if self.endpoint.last_read != b"$":
            send.floor = self.endpoint.last_read
        if begun is not None:
            begun(send)
        if mutant("one-send-at-a-time") or mutant("ten-sends-at-a-time"):
            async with self._turn:
                return await self._ask(send, seconds)
        return await self._ask(send, seconds)

    async def _ask(self, send: Send, seconds: float) -> tuple[str, Any]:
        self.asked.add(send.to)
        if not mutant("ledger-after-the-reply"):
            # Before it is written: the response may be read before the reply to XADD.
            self.outstanding[send.id] = send
        if mutant("makes-the-destination"):
            await self.endpoint.write(("XGROUP", "CREATE", self.endpoint.names.stream, send.to, "$"))
        storing = self.endpoint.spawn(self._store(send))
        await asyncio.wait([storing], timeout=None if mutant("timeout-from-the-reply") else 0)
        if mutant("times-out-early"):
            seconds *= 0.7
        if mutant("gives-up-on-sleeping-groups") and await self._sleeps(send.to):
            seconds = min(seconds, 0.6)
        seconds += 1.5 if mutant("times-out-late") else 0
        await asyncio.wait([send.outcome], timeout=seconds)
        if not send.outcome.done():
            if send.entry_id is None:
                send.floor = self.floor(send, seconds)
            if not mutant("no-last-look"):
                await self.last_look(send)
        self.outstanding.pop(send.id, None)
        if mutant("null-while-down") and not self.endpoint.up.is_set():
            send.end("fulfilled", None)
        if self.endpoint.closed and mutant("sends-left-hanging-on-disconnect"):
            await send.outcome
        if not send.outcome.done():
            self._timed_out(send, seconds)
        kind, value = send.outcome.result()
        kept = {"cancelled": mutant("cancelled-not-deleted"), "no-responders": mutant("early-end-leaves-the-request")}
        if kind in kept and send.entry_id is not None and not kept[kind]:
            self.endpoint.settle(delete=send.entry_id)
        self._forget_unsure(send)
        return kind, value

    def _forget_unsure(self, send: Send) -> None:
        """It has an outcome, and is perhaps stored: it is looked for as soon as Redis can be reached."""
        if not send.unsure or not send.outcome.done() or send.entry_id is not None or send.absent:
            return
        away = mutant("forgets-what-timed-out-while-away") and not self.endpoint.up.is_set()
        kept = {"cancelled": mutant("cancelled-not-deleted"), "timeout": away or not self.deletes()}
        if not kept.get(send.outcome.result()[0], True):
            send.unsure = False
            self.endpoint.spawn(self.find_and_delete(send))

    async def _end_early(self, send: Send) -> None:
        """Nobody gets a request to a group that does not exist (RIPC-REQ-16)."""
        await asyncio.sleep(0.1 if mutant("ends-too-early") else _EARLY_END)
        if send.outcome.done():
            return
        try:
            groups = (await self.endpoint.write(("XINFO", "GROUPS", self.endpoint.names.stream)))[0]
            lacks = not isinstance(groups, RedisError) and all(row[1] != send.to for row in groups)
            if mutant("ends-early-where-all-are-away") and await self._sleeps(send.to):
                lacks = True
            if mutant("early-end-takes-all-along") and lacks:
                for other in list(self.outstanding.values()):
                    other.end("no-responders")
        except Lost:
            return  # its timeout ends it
        if lacks:
            send.end("no-responders")

    async def _sleeps(self, group: bytes) -> bool:
        """Only for mutants: whether the group has no consumer, as when all its members are away."""
        rows = (await self.endpoint.write(("XINFO", "CONSUMERS", self.endpoint.names.stream, group)))[0]
        return bool(rows == [])

    def _timed_out(self, send: Send, seconds: float) -> None:
        if send.entry_id is not None:
            self._delete(send.entry_id)
        if mutant("timeout-as-rejection"):
            send.end("rejected", f"no answer within {seconds:g} s")
        elif mutant("timeout-as-null"):
            send.end("fulfilled", None)
        send.end("timeout")

    def deletes(self) -> bool:
        """Whether no mutant stands in the way of an ordinary deletion."""
        return not any(
            mutant(name) for name in ("timed-out-not-deleted", "timed-out-acknowledged-only", "timed-out-deleted-once")
        )

    def _delete(self, entry_id: bytes) -> None:
        if mutant("timed-out-not-deleted"):
            return
        if mutant("timed-out-acknowledged-only"):
            self.endpoint.settle(entry_id)
        elif mutant("timed-out-deleted-once"):
            self.endpoint.spawn(self._delete_once(entry_id))
        else:
            self.endpoint.settle(delete=entry_id)

    async def _delete_once(self, entry_id: bytes) -> None:
        try:
            await self.endpoint.write(("XDEL", self.endpoint.names.stream, entry_id))
        except Lost:
            pass

    # storing

    async def _store(self, send: Send) -> None:
        """Until it is stored, or unknown, or nobody waits any more."""
        endpoint = self.endpoint
        refused = pauses.refused()
        while not self._over(send) and send.entry_id is None:
            if mutant("fails-when-down") and not endpoint.up.is_set():
                send.end("rejected", "no connection")
            if not mutant("adds-before-the-group") and not mutant("adds-while-down"):
                await endpoint.up.wait()
            if self._over(send):
                return
            if mutant("registers-after-the-first-request"):
                endpoint.spawn(endpoint.group.register_late())
            try:
                await endpoint.group.fresh()
            except (Lost, RedisError):
                await asyncio.sleep(0.05)
                continue
            try:
                reply = await self._add(send)
            except Lost as lost:
                if lost.sent and not mutant("repeats-a-lost-add"):
                    send.unsure = not (send.outcome.done() and mutant("leaves-what-was-given-up-before-the-loss"))
                    self._forget_unsure(send)
                    return  # it may be stored: sending it again could run it twice
                await asyncio.sleep(0.02)
                continue
            if isinstance(reply, list):
                return
            if mutant("ledger-after-the-reply"):
                self.outstanding[send.id] = send
            await self._stored(send, reply, refused)

    async def _add(self, send: Send) -> Any:
        """The reply to its XADD; of a mutant the replies of a transaction, which ends the attempts."""
        if mutant("executed-means-stored"):
            replies = await self.endpoint.transaction(*self._commands(send))
            if isinstance(replies, RedisError):
                return replies
            return replies if isinstance(replies[0], RedisError) else replies[0]
        return (await self.endpoint.write(*self._commands(send)))[0]

    def _over(self, send: Send) -> bool:
        """Whether nobody waits any more, so that it need not be stored."""
        done = send.outcome.done()
        return done and not (mutant("writes-what-was-cancelled-meanwhile") and send.outcome.result()[0] == "cancelled")

    def _commands(self, send: Send) -> list[list[Any]]:
        names = self.endpoint.names
        status = b"PENDING" if mutant("request-status-in-capitals") else PENDING
        instance = b"%b" % new_id(b"")[:6] if mutant("request-of-another-instance") else names.instance
        source = names.stream if mutant("request-of-the-stream") else names.group
        if mutant("source-with-the-instance"):
            source += b":" + instance
        to = send.to.lower() if mutant("destination-in-lower-case") else send.to
        if mutant("destination-trimmed"):
            to = to.strip()
        line = add(names.stream, "request", (send.id, instance, status, send.text, source, to))
        return [line, line] if mutant("request-written-twice") else [line]

    async def _stored(self, send: Send, reply: Any, refused: Pauses) -> None:
        endpoint = self.endpoint
        if isinstance(reply, bytes):
            send.entry_id = reply
            if send.outcome.done():
                kind, _ = send.outcome.result()
                kept = mutant("cancelled-not-deleted") or mutant("writes-what-was-cancelled-meanwhile")
                if kind == "timeout" or (kind == "cancelled" and not kept):
                    endpoint.settle(delete=reply)  # ended while the reply was on its way
            else:
                endpoint.spawn(self._end_early(send))
        elif reply is None:
            endpoint.group_gone()  # NOMKSTREAM: the stream is gone, and the group with it
        elif isinstance(reply, RedisError):
            if mutant("errors-end-sends") or (mutant("refused-memory-ends-sends") and reply.kind in REFUSAL):
                send.end("rejected", str(reply))
            if mutant("outage-ends-sends") and reply.kind not in REFUSAL:
                send.end("rejected", str(reply))
            if reply.kind in PERMANENT or (is_unknown(reply) and not mutant("keeps-sends-of-unknown-errors")):
                send.end("failed", str(reply))
            if reply.kind in REFUSAL and not mutant("repeats-refused-writes-at-once"):
                await refused.wait()
            else:
                await asyncio.sleep(0.02)

    # responses

    def knows(self, entry: Entry) -> bool:
        if mutant("first-outstanding-gets-it") or mutant("matches-by-group"):
            return self._any(entry) is not None
        return entry.id in self.outstanding

    def _any(self, entry: Entry) -> Send | None:
        for send in self.outstanding.values():
            if mutant("first-outstanding-gets-it") or send.to == entry.source:
                return send
        return None

    def response(self, entry: Entry) -> None:
        """The response to a request of this instance."""
        send = self._any(entry) if not entry.id or entry.id not in self.outstanding else self.outstanding[entry.id]
        if mutant("first-outstanding-gets-it") or mutant("matches-by-group"):
            send = self._any(entry)
        if send is None:
            return
        if mutant("last-response-counts"):
            waiting = self._settled_late.setdefault(send.id, [])
            waiting.append(entry)
            asyncio.get_running_loop().call_later(0.3, lambda: self.finish(send, waiting[-1]))
            return
        if mutant("wants-the-asked-group-to-answer") and entry.source != send.to:
            return
        self.finish(send, entry)

    def finish(self, send: Send, entry: Entry) -> None:
        value = (
            entry.content.decode("utf-8", "replace")
            if mutant("response-not-decoded")
            else content.decode(entry.content)
        )
        if mutant("null-responses-ignored") and value is None:
            return
        if mutant("rejections-as-text") and entry.status != FULFILLED:
            value = str(value)
        fulfilled = entry.status == FULFILLED or mutant("rejected-as-fulfilled")
        self.outstanding.pop(send.id, None)
        send.end("fulfilled" if fulfilled else "rejected", value)

    def deliver_anyhow(self, entry: Entry) -> None:
        """Only for mutants: whoever waits gets it."""
        self.finish(next(iter(self.outstanding.values())), entry)

    def unanswered_for(self, seconds: float) -> bool:
        now = asyncio.get_running_loop().time()
        return any(now - send.begun > seconds for send in self.outstanding.values())

    def end_all(self) -> None:
        """The endpoint leaves."""
        if not mutant("sends-left-hanging-on-disconnect"):
            for send in list(self.outstanding.values()):
                send.end("cancelled")
