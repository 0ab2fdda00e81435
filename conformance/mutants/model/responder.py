"""Requests that this instance was given: queue, run, answer (section 9)."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from . import content
from .errors_of_redis import REFUSAL
from .mutation import mutant
from .resp import Command, Lost, RedisError
from .wire import FULFILLED, REJECTED, Entry, add, new_id

if TYPE_CHECKING:
    from .endpoint import Endpoint

_PATIENCE = 60.0
_MOST_STARTS = 3


class Request:
    """A request in the hands of this instance.

    ``state``: queued, checking, running, answering, unsure, gone.
    """

    def __init__(self, responder: Responder, entry: Entry, starts: int, redelivered: bool) -> None:
        self._responder = responder
        self.entry = entry
        self.starts, self.redelivered = starts, redelivered
        self.state = "queued"
        self.received = asyncio.get_running_loop().time()
        self.answer: tuple[bytes, bytes] | None = None
        self.refused = False
        """Whether Redis had no room for the answer when it was last tried."""
        self.on_gone: Callable[[], None] = lambda: None

    @property
    def value(self) -> Any:
        """The decoded content."""
        if mutant("handler-gets-text"):
            return self.entry.content.decode("utf-8", "replace")
        return content.decode(self.entry.content)

    def fulfill(self, value: Any) -> None:
        """Raises ValueError for a second answer, and for a value that is no JSON."""
        text = content.encode(value)
        if mutant("null-answers-as-empty-text") and value is None:
            text = b""
        self._responder.answer(self, FULFILLED, text)

    def reject(self, value: Any) -> None:
        if mutant("rejects-with-text-only"):
            value = str(value)
        self._responder.answer(self, REJECTED, content.encode(value))


class Responder:
    def __init__(self, endpoint: Endpoint, on_request: Callable[[Request], Awaitable[Any]]) -> None:
        self.endpoint = endpoint
        self.on_request = on_request
        self.held: dict[bytes, Request] = {}
        self.queue: deque[Request] = deque()
        self._contents: set[bytes] = set()
        self.running = 0
        self._ids: set[bytes] = set()
        self._delayed: list[Callable[[], None]] = []
        self._changed = asyncio.Event()

    @property
    def room(self) -> int:
        return self.endpoint.options.concurrency - self.running - len(self.queue)

    @property
    def answers_wait(self) -> bool:
        return any(request.state == "answering" for request in self.held.values())

    @property
    def answers_refused(self) -> bool:
        """Whether an answer waits for Redis to have room."""
        return any(request.state == "answering" and request.refused for request in self.held.values())

    def take(self, entry: Entry, starts: int = 1, redelivered: bool = False) -> None:
        """A request to the own group that is pending for this instance."""
        endpoint, options = self.endpoint, self.endpoint.options
        if entry.entry_id in self.held and not mutant("starts-again-what-runs"):
            return
        if mutant("one-run-for-an-id") and entry.id in self._ids:
            endpoint.settle(entry.entry_id, entry.entry_id)
            return
        self._ids.add(entry.id)
        request = Request(self, entry, starts, redelivered and not mutant("redelivery-not-told"))
        self.held[entry.entry_id] = request
        age = endpoint.claims.redis_time() - entry.stored_at
        limit = 1.0 if mutant("drops-old-requests") else options.max_request_age
        if mutant("acknowledges-when-read"):
            endpoint.settle(entry.entry_id)
        if limit is not None and age > limit:
            self._turn_away(request, "Too old")
        elif starts > _MOST_STARTS and not mutant("starts-without-limit"):
            if mutant("gives-up-without-a-word"):
                self._gone(request)
                endpoint.settle(entry.entry_id, entry.entry_id)
            else:
                self._turn_away(request, f"given_up: started {_MOST_STARTS} times without an answer")
        elif endpoint.closing:
            endpoint.claims.give_back([request])
        elif mutant("equal-requests-started-once") and self._seen_before(entry):
            endpoint.settle(entry.entry_id, entry.entry_id)
        elif self.running < options.concurrency and not self.queue:
            self._start(request)
        elif endpoint.group.siblings and not mutant("hoards"):
            endpoint.claims.give_back([request])
        elif mutant("gives-back-when-alone"):
            endpoint.claims.give_back([request])
        elif len(self.queue) < options.queue or mutant("queues-without-bound"):
            self.queue.append(request)
        else:
            word = "too many" if mutant("reasons-without-their-word") else "overloaded"
            self._turn_away(request, f"{word}: {len(self.queue)} requests are waiting, overload")

    def _seen_before(self, entry: Entry) -> bool:
        """Only for a mutant: whether a request with this content came before."""
        seen = entry.content in self._contents
        self._contents.add(entry.content)
        return seen

    def refuse(self, entry: Entry, reason: str) -> None:
        """Only for mutants: a rejection of what is no request."""
        self._turn_away(Request(self, entry, 1, False), reason)

    def _turn_away(self, request: Request, reason: str) -> None:
        self.answer(request, REJECTED, reason.encode())

    # running

    def _start(self, request: Request) -> None:
        request.state = "running"
        self.running += 1
        self.endpoint.spawn(self._run(request))
        if mutant("runs-twice"):
            self.running += 1
            self.endpoint.spawn(self._run(request))

    async def _run(self, request: Request) -> None:
        try:
            await self.on_request(request)
            if request.answer is None:
                self._ignored(request)
        except Exception as error:
            self._failed(request, error)
        finally:
            self.running -= 1
            self._has_room()

    def _ignored(self, request: Request) -> None:
        if request.state == "running" and not mutant("ignored-request-kept"):
            self._gone(request)
            delete = None if mutant("ignored-request-not-deleted") else request.entry.entry_id
            self.endpoint.settle(request.entry.entry_id, delete)

    def _failed(self, request: Request, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if not mutant("failure-not-reported"):
            self.endpoint.report("handler", text, {})
        if request.answer is not None:
            return
        if mutant("failure-without-an-answer"):
            self._ignored(request)
        elif mutant("reason-with-the-stack-trace"):
            self.answer(request, REJECTED, content.encode("".join(traceback.format_exception(error))))
        elif mutant("failure-fulfils"):
            self.answer(request, FULFILLED, text.encode())
        elif mutant("empty-reasons"):
            self.answer(request, REJECTED, str(error).encode())
        else:
            self.answer(request, REJECTED, content.encode(text))

    def _has_room(self) -> None:
        self._changed.set()
        for call in self._delayed:
            call()
        self._delayed.clear()
        while self.queue and self.running < self.endpoint.options.concurrency:
            request = self.queue.popleft()
            if request.state != "queued":
                continue
            waited = asyncio.get_running_loop().time() - request.received
            if waited > 1.0 and not mutant("starts-what-is-gone"):
                request.state = "checking"
                self.running += 1
                self.endpoint.spawn(self._check(request))
            else:
                self._start(request)
        self.endpoint.claims.room_again()

    async def _check(self, request: Request) -> None:
        """It waited long enough for its requester to have given up."""
        there: Any = None
        while not isinstance(there, list):
            await self.endpoint.up.wait()
            try:
                there = await self.endpoint.claims.body(request.entry.entry_id)
            except Lost:
                continue
        self.running -= 1
        if there and request.state == "checking":
            self._start(request)
        elif request.state == "checking":
            self._gone(request)
            self.endpoint.settle(request.entry.entry_id)
        self._has_room()

    def when_room(self, call: Callable[[], None]) -> None:
        """Only for mutants."""
        self._delayed.append(call)

    def lost(self, request: Request) -> None:
        """Its requester gave up, or another member has it: nobody waits for an answer from here."""
        was = request.state
        if was in ("answering", "unsure"):
            return
        self._gone(request)
        if was == "running":
            request.on_gone()

    def _gone(self, request: Request) -> None:
        request.state = "gone"
        self.held.pop(request.entry.entry_id, None)

    # answering

    def answer(self, request: Request, status: bytes, text: bytes) -> None:
        if request.answer is not None and not mutant("takes-a-second-answer"):
            raise ValueError("this request is answered already")
        request.answer = (status, text)
        if request.state == "gone" and not mutant("answers-what-is-anothers"):
            return
        request.state = "answering"
        self.endpoint.spawn(self._write_answer(request))

    async def _write_answer(self, request: Request) -> None:
        """Until it is written, or unknown, or was refused for too long."""
        endpoint = self.endpoint
        begun = asyncio.get_running_loop().time()
        if mutant("answers-in-order"):
            await self._all_before(request)
        while request.state == "answering":
            await endpoint.up.wait()
            if mutant("gone-request-left-pending") and not await endpoint.claims.body(request.entry.entry_id):
                self._gone(request)
                return
            try:
                refused = await self._put(request)
            except Lost as lost:
                if lost.sent and not mutant("repeats-a-lost-answer"):
                    request.state = "unsure"
                    if mutant("gives-up-a-lost-answer"):
                        self._gone(request)
                    return
                await asyncio.sleep(0.02)
                continue
            if refused is None:
                self._gone(request)
                self._changed.set()
                return
            request.refused = refused.kind in REFUSAL
            patience = 0.0 if mutant("drops-refused-answers") else _PATIENCE
            if mutant("runs-again-when-refused") and refused.kind in REFUSAL:
                self.held.pop(request.entry.entry_id, None)
                self.take(request.entry)
                return
            if asyncio.get_running_loop().time() - begun > patience:
                endpoint.report("answer", f"not written: {refused}", {})
                self._gone(request)
                return
            await asyncio.sleep(0.1)

    async def _put(self, request: Request) -> RedisError | None:
        """None when written, else why not."""
        names, id = self.endpoint.names, request.entry.entry_id
        lines: list[Command] = [
            self._response(request),
            ("XACK", names.stream, names.group, id),
            ("XDEL", names.stream, id),
        ]
        if mutant("answered-not-deleted"):
            lines.pop(2)
        if mutant("answered-not-acknowledged"):
            lines.pop(1)
        if mutant("answers-twice"):
            lines.insert(1, lines[0])
        if mutant("deletes-before-answering"):
            await self.endpoint.write(lines.pop(1), lines.pop(1))
        if mutant("acknowledges-first-in-the-multi"):
            lines = [lines[1], lines[2], lines[0]]
        if mutant("answers-outside-a-multi"):
            replies: Any = await self.endpoint.write(*lines)
            replies = next((reply for reply in replies if isinstance(reply, RedisError)), replies)
        else:
            replies = await self.endpoint.transaction(*lines)
        return replies if isinstance(replies, RedisError) else None

    def _response(self, request: Request) -> Command:
        assert request.answer is not None
        names, entry = self.endpoint.names, request.entry
        status, text = request.answer
        if mutant("answers-success"):
            status = {FULFILLED: b"success"}.get(status, b"error")
        if mutant("answers-in-capitals"):
            status = status.capitalize()
        id = new_id(b"") if mutant("response-with-a-fresh-id") else entry.id
        if mutant("response-id-in-lower-case"):
            id = id.lower()
        instance = names.instance if mutant("response-of-the-own-instance") else entry.instance
        source, destination = names.group, entry.source
        if mutant("response-groups-not-exchanged"):
            source, destination = destination, source
        return add(names.stream, "response", (id, instance, status, text, source, destination))

    async def _all_before(self, request: Request) -> None:
        """Only for mutants: answers leave in the order of the requests."""
        while any(other < request.entry.entry_id for other in self.held):
            self._changed.clear()
            await self._changed.wait()

    async def settle_unsure(self) -> None:
        """Answers whose reply got lost: written again only where the request is still pending for this instance."""
        for request in [r for r in self.held.values() if r.state == "unsure"]:
            if await self.endpoint.claims.is_ours(request.entry.entry_id):
                request.state = "answering"
                self.endpoint.spawn(self._write_answer(request))
            else:
                self._gone(request)

    # leaving

    async def finish(self, seconds: float) -> None:
        """Gives back what has not started, waits for what runs."""
        self.queue.clear()
        await self.give_back_unstarted()
        deadline = asyncio.get_running_loop().time() + seconds
        while self.running or self.answers_wait:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except asyncio.TimeoutError:
                return

    async def give_back_unstarted(self) -> None:
        unstarted = [request for request in self.held.values() if request.state == "queued"]
        if unstarted and not mutant("keeps-unstarted-requests"):
            await self.endpoint.claims.write_back([request.entry.entry_id for request in unstarted])
            for request in unstarted:
                self._gone(request)
