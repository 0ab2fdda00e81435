"""Requests that this instance was given: queue, run, answer (section 9)."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from . import content
from .answers import Answers
from .mutation import mutant
from .ports import EndpointPort
from .request import Request
from .resp import Lost, RedisError
from .wire import FULFILLED, REJECTED, Entry

_MOST_STARTS = 3


class Responder:
    def __init__(self, endpoint: EndpointPort, on_request: Callable[[Request], Awaitable[Any]]) -> None:
        self.endpoint = endpoint
        self.on_request = on_request
        self.held: dict[bytes, Request] = {}
        self.queue: deque[Request] = deque()
        self._contents: set[bytes] = set()
        self.running = self._failures = 0
        self._ids: set[bytes] = set()
        self._delayed: list[Callable[[], None]] = []
        self._beyond: set[Request] = set()
        self._looked = float("-inf")
        self._quick = 0
        self.changed = asyncio.Event()
        self.answers = Answers(endpoint, self)

    @property
    def room(self) -> int:
        return self.endpoint.options.concurrency - self.running - len(self.queue)

    @property
    def _limit(self) -> int:
        """How many handlers run at once."""
        two = mutant("two-at-once-after-quick-ones") and self._quick > 100
        return 2 if two else self.endpoint.options.concurrency

    @property
    def answers_refused(self) -> bool:
        """Whether an answer waits for Redis to have room."""
        return any(request.state == "answering" and request.refused for request in self.held.values())

    @property
    def answers_wait(self) -> bool:
        return any(request.state == "answering" for request in self.held.values())

    def take(
        self,
        entry: Entry,
        starts: int = 1,
        redelivered: bool = False,
        delivered: float | None = None,
        first: bool = False,
    ) -> None:
        """A request to its own group that is pending for this instance, since ``delivered`` in the loop's seconds.
        ``first``: it starts before those that wait."""
        endpoint, options = self.endpoint, self.endpoint.options
        known = self.held.get(entry.entry_id)
        # After a flush another request may have its entry ID (RIPC-RECOV-4).
        same = known is not None and (known.entry.id == entry.id or mutant("same-entry-id-same-request"))
        if same and not mutant("starts-again-what-runs"):
            return
        if known is not None and not same:
            self.lost(known, False)
        if mutant("one-run-for-an-id") and entry.id in self._ids:
            endpoint.settle(entry.entry_id, entry.entry_id)
            return
        self._ids.add(entry.id)
        if mutant("drops-requests-while-asking") and endpoint.requester.outstanding:
            endpoint.settle(entry.entry_id, entry.entry_id)
            return
        at = asyncio.get_running_loop().time() if delivered is None else delivered
        request = Request(self, entry, starts, redelivered and not mutant("redelivery-not-told"), at)
        self.held[entry.entry_id] = request
        age = endpoint.claims.redis_time() - entry.stored_at
        limit = 1.0 if mutant("drops-old-requests") else options.max_request_age
        if mutant("acknowledges-when-read"):
            endpoint.settle(entry.entry_id)
        if limit is not None and age > limit:
            self._turn_away(request, "Too old")
        elif starts > _MOST_STARTS and not mutant("starts-without-limit"):
            if mutant("gives-up-without-a-word"):
                self.gone(request)
                endpoint.settle(entry.entry_id, entry.entry_id)
            else:
                word = "too often" if mutant("reasons-without-their-word") else "given_up"
                self._turn_away(request, f"{word}: started {_MOST_STARTS} times without an answer")
        elif endpoint.closing:
            endpoint.claims.give_back([request])
        elif mutant("equal-requests-started-once") and self._seen_before(entry):
            endpoint.settle(entry.entry_id, entry.entry_id)
        else:
            self._place(request, first)

    def _place(self, request: Request, first: bool) -> None:
        """It starts, goes to a sibling, waits, or is rejected."""
        endpoint, options = self.endpoint, self.endpoint.options
        siblings = endpoint.group.responding
        if options.no_handler and siblings and not mutant("keeps-requests-without-a-handler"):
            endpoint.claims.give_back([request])
        elif self.running < self._limit and (first or not (self.queue or endpoint.claims.looking)):
            self._start_or_check(request)
        elif siblings and not mutant("hoards") and not endpoint.claims.looking:
            endpoint.claims.give_back([request])
        elif mutant("gives-back-when-alone"):
            endpoint.claims.give_back([request])
        elif len(self.queue) < options.queue or mutant("queues-without-bound"):
            self.queue.append(request)
        else:
            endpoint.spawn(self._overloaded(request))

    async def _overloaded(self, request: Request) -> None:
        """Before it is rejected, siblings are looked for once more (RIPC-RESP-17)."""
        self._beyond.add(request)
        now = asyncio.get_running_loop().time()
        known = mutant("looks-for-siblings-at-the-first-overload") and now - self._looked < 30
        if not mutant("rejects-before-it-looks") and not known:
            self._looked = now
            try:
                await self.endpoint.group.find_siblings()
            except (Lost, RedisError):
                pass
        self._beyond.discard(request)
        if self.endpoint.closing and not mutant("rejects-while-it-leaves"):
            return  # it is given back with all that has not started
        if self.endpoint.group.responding:
            self.endpoint.claims.give_back([request])
            return
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
        began = asyncio.get_running_loop().time()
        try:
            await self.on_request(request)
            self._quick += asyncio.get_running_loop().time() - began < 0.01
            if request.answer is None and (not request.postponed or mutant("postponed-requests-are-settled")):
                self._ignored(request)
        except asyncio.CancelledError as error:
            if self.endpoint.closed:
                raise
            if mutant("cancelled-failures-are-ignored"):
                self._ignored(request)
            else:
                self._failed(request, error)
        except Exception as error:
            if not (request.postponed and mutant("postponed-and-failed-is-not-answered")):
                self._failed(request, error)
        finally:
            self.running -= 1
            self._has_room()

    def _ignored(self, request: Request) -> None:
        if request.state == "running" and not mutant("ignored-request-kept"):
            self.gone(request)
            delete = None if mutant("ignored-request-not-deleted") else request.entry.entry_id
            self.endpoint.settle(request.entry.entry_id, delete)

    def _failed(self, request: Request, error: BaseException) -> None:
        text = str(error) or type(error).__name__
        if not mutant("failure-not-reported"):
            self.endpoint.report("handler", text, {})
        if request.answer is not None:
            return
        self._failures += 1
        if mutant("failure-without-an-answer") or (mutant("ten-failures-are-answered") and self._failures > 10):
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
        self.changed.set()
        for call in self._delayed:
            call()
        self._delayed.clear()
        self.endpoint.claims.room_again()
        if not self.endpoint.claims.looking:
            self.start_more()

    def start_more(self) -> None:
        """What waits, as far as handlers are free; the rest goes to siblings, if there are any."""
        while self.queue and self.running < self._limit:
            request = self.queue.popleft()
            if request.state == "queued":
                self._start_or_check(request)
        if self.queue and self.endpoint.group.responding and not mutant("hoards"):
            rest, self.queue = list(self.queue), deque()
            self.endpoint.claims.give_back([request for request in rest if request.state == "queued"])

    def _start_or_check(self, request: Request) -> None:
        now = asyncio.get_running_loop().time()
        if now - request.received > 1.0 and not mutant("starts-what-is-gone"):
            request.state = "checking"
            self.running += 1
            self.endpoint.spawn(self._check(request))
        else:
            self._start(request)

    async def _check(self, request: Request) -> None:
        """It waited long enough for its requester to have given up, or for a sibling to have taken it over."""
        there = None
        while there is None:
            await self.endpoint.up.wait()
            try:
                if mutant("looks-for-the-body-only"):
                    there = bool(await self.endpoint.claims.body(request.entry_id))
                else:
                    there = await self.endpoint.keeping.is_ours(request)
            except (Lost, RedisError):
                self.running += mutant("broken-looks-keep-a-place")
                await asyncio.sleep(0.05)
        self.running -= 1
        if there and request.state == "checking" and self.endpoint.closing and not mutant("starts-while-it-leaves"):
            request.state = "queued"  # it is given back with all that has not started
        elif there and request.state == "checking":
            self._start(request)
        elif request.state == "checking":
            self.gone(request)
        self._has_room()

    def when_room(self, call: Callable[[], None]) -> None:
        """Only for mutants."""
        self._delayed.append(call)

    def lost(self, request: Request, acknowledge: bool) -> None:
        """Its requester gave up, or another member has it: nobody waits for an answer from here."""
        was = request.state
        if was in ("answering", "unsure") and mutant("answers-what-is-anothers"):
            return
        if acknowledge and was != "answering":
            self.endpoint.settle(request.entry_id)
        if was == "answering" and acknowledge:
            return  # the answer acknowledges it, and is dropped or written (RIPC-RESP-20)
        self.gone(request)
        if was == "running":
            request.on_gone()

    async def decide_unsure(self) -> None:
        """After a reconnect: the answers of which nobody knows whether they were written."""
        await self.answers.decide_unsure()

    def gone(self, request: Request) -> None:
        request.state = "gone"
        if self.held.get(request.entry_id) is request:
            del self.held[request.entry_id]

    def answer(self, request: Request, status: bytes, text: bytes) -> None:
        if request.answer is not None and not mutant("takes-a-second-answer"):
            raise ValueError("this request is answered already")
        request.answer = (status, text)
        if request.state == "gone" and not mutant("answers-what-is-anothers"):
            return
        request.state = "answering"
        self.endpoint.spawn(self.answers.write(request))

    # leaving

    async def finish(self, seconds: float) -> None:
        """Gives back what has not started, waits for what runs; what runs at the limit is rejected (RIPC-LIFE-26)."""
        self.queue.clear()
        await self.give_back_unstarted()
        deadline = asyncio.get_running_loop().time() + seconds
        while self.running or self.answers_wait:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), left)
            except asyncio.TimeoutError:
                break
        running = [request for request in self.held.values() if request.state == "running"]
        if not mutant("running-requests-left-on-disconnect"):
            for request in running:
                word = "stopping" if mutant("reasons-without-their-word") else "closing"
                request.state = "answering"
                request.answer = (REJECTED, f"{word}: the responder disconnects".encode())
            await asyncio.gather(*(self.answers.write(request, once=True) for request in running))

    async def give_back_unstarted(self) -> None:
        unstarted = [request for request in self.held.values() if request.state in ("queued", "checking")]
        if mutant("rejects-while-it-leaves"):
            unstarted = [request for request in unstarted if request not in self._beyond]
        alone = not self.endpoint.group.responding and bool(self.endpoint.group.siblings)
        if alone and mutant("waiting-requests-kept-beside-requesters"):
            return
        if unstarted and not mutant("keeps-unstarted-requests"):
            await self.endpoint.claims.write_back([request.entry.entry_id for request in unstarted])
            for request in unstarted:
                self.gone(request)
