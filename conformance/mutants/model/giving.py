"""Giving back what cannot start here, and taking what others gave back (section 11)."""

from __future__ import annotations

import asyncio

from . import pauses
from .mutation import mutant
from .ports import EndpointPort
from .redis_errors import REFUSAL
from .request import Request
from .resp import Lost, RedisError

GIVE_BACK_IDLE_MS = 315_360_000_000
"""Milliseconds of idle time that mark a give-back: 10 years."""
_GIVE_BACK_RESPONSE_IDLE_MS = 630_720_000_000
"""The same for a response: 20 years."""
_GIVEN_BACK_FROM_MS = GIVE_BACK_IDLE_MS // 2
_RESPONSE_FROM_MS = 473_040_000_000
_PAGE = 100
LATE_AFTER = 5.0
"""Seconds: who did not claim for so long looks before it claims again or gives back."""


def counts_as_given_back(idle: int) -> bool:
    least = 43_200_000 if mutant("given-back-from-12-h-on") else _GIVEN_BACK_FROM_MS
    return idle >= (GIVE_BACK_IDLE_MS if mutant("given-back-from-10-years-on") else least)


def mark(response: bool) -> int:
    """The idle time that gives an entry back."""
    if mutant("gives-back-at-10-s"):
        return 10_000
    if mutant("gives-back-at-a-day"):
        return 86_400_000
    if mutant("gives-requests-back-like-responses"):
        return _GIVE_BACK_RESPONSE_IDLE_MS
    like_requests = mutant("gives-responses-back-like-requests")
    return _GIVE_BACK_RESPONSE_IDLE_MS if response and not like_requests else GIVE_BACK_IDLE_MS


class Giving:
    """The half of ``Claims`` that deals with what was given back."""

    def __init__(self, endpoint: EndpointPort) -> None:
        self.endpoint = endpoint
        self.looking = False
        """Whether a look for given-back entries is under way: what is new starts after them (RIPC-GROUP-34)."""
        self._gave = False
        self._look_now = asyncio.Event()

    @property
    def holds_given_back(self) -> bool:
        raise NotImplementedError

    async def claim(self, id: bytes, min_idle: int, count: int, counted: bool, responses: bool = False) -> None:
        raise NotImplementedError

    @staticmethod
    def was_given_back(idle: int) -> bool:
        return counts_as_given_back(idle)

    def give_back(self, requests: list[Request]) -> None:
        """What this instance cannot start goes to a sibling that can."""
        for request in requests:
            request.state = "gone"
            self.endpoint.responder.held.pop(request.entry_id, None)
        self.endpoint.spawn(self._give_back(requests))

    async def _give_back(self, requests: list[Request]) -> None:
        self._gave = True
        refused = pauses.refused()
        while True:
            await self.endpoint.up.wait()
            try:
                soon, late = await self._still_ours(requests)
                for ids, min_idle in ((soon, 0), (late, int(LATE_AFTER * 1000))):
                    while (
                        ids
                        and await self.write_back(ids, min_idle) in REFUSAL
                        and not mutant("refused-give-back-forgotten")
                    ):
                        await refused.wait()
                return
            except Lost as lost:
                if lost.sent and not mutant("repeats-a-lost-claim"):
                    return  # still pending for this instance, or given back: its own list shows it after the reconnect
                await asyncio.sleep(0.05)

    async def _still_ours(self, requests: list[Request]) -> tuple[list[bytes], list[bytes]]:
        """Those that were claimed lately, and those that a look shows idle for long: others may have taken them (RIPC-GROUP-11)."""
        now = asyncio.get_running_loop().time()
        unsure = [
            each for each in requests if now - each.claimed >= LATE_AFTER and not mutant("gives-back-without-a-look")
        ]
        soon = [each.entry_id for each in requests if each not in unsure]
        late: list[bytes] = []
        for item, idle in await self.endpoint.keeping.look(unsure):
            (late if idle >= LATE_AFTER else soon).append(item.entry_id)
        return soon, late

    async def write_back(self, ids: list[bytes], min_idle: int = 0, responses: bool = False) -> str:
        """Says why Redis refused it; empty where it did not."""
        names = self.endpoint.names
        if mutant("gives-back-a-hundred-at-most"):
            ids = ids[:100]
        if mutant("gives-back-by-acknowledging"):
            await self.endpoint.write(("XACK", names.stream, names.group, *ids))
            return ""
        claim = (
            "XCLAIM",
            names.stream,
            names.group,
            names.dispatcher,
            min_idle,
            *ids,
            "IDLE",
            mark(responses),
            "JUSTID",
        )
        if mutant("executed-means-given-back"):
            replies = await self.endpoint.transaction(claim)
            return replies.kind if isinstance(replies, RedisError) else ""
        reply, *_ = await self.endpoint.write(
            claim,
            *([("PUBLISH", names.group_wakeup, "")] if self.endpoint.options.wakeups else []),
        )
        return reply.kind if isinstance(reply, RedisError) else ""

    def room_again(self) -> None:
        if self._gave and not mutant("looks-for-given-back-every-3-s"):
            self.looking = not mutant("new-before-given-back")
            self._look_now.set()
            self._gave = not mutant("looks-once-for-what-it-gave-back")

    def woken(self) -> None:
        """The group's wake-up."""
        if not mutant("deaf-to-the-group"):
            self._look_now.set()

    async def take_all(self) -> None:
        """Takes what siblings gave back, as soon as there is room."""
        while True:
            try:
                wait = 3600.0 if mutant("takes-back-when-woken-only") else 3.0
                await asyncio.wait_for(self._look_now.wait(), wait)
            except asyncio.TimeoutError:
                pass
            self._look_now.clear()
            await self.endpoint.up.wait()
            if not self.endpoint.closing and not mutant("never-takes-back"):
                holds = self.holds_given_back
                try:
                    if not holds or mutant("takes-responses-back-right-after-a-reconnect"):
                        await self._take_responses()
                    if not holds:
                        await self._take_back()
                except (Lost, RedisError):
                    pass
            if self.looking:
                self.looking = False
                self.endpoint.responder.start_more()

    async def _take_responses(self) -> None:
        """With or without room, however many there are. Their mark tells them from requests."""
        endpoint, names = self.endpoint, self.endpoint.names
        if mutant("takes-nothing-back-without-room") and endpoint.responder.running >= endpoint.options.concurrency:
            return
        first = mutant("looks-at-the-first-given-back-only")
        least = _GIVEN_BACK_FROM_MS if first else _RESPONSE_FROM_MS
        if mutant("response-mark-from-20-years-on"):
            least = _GIVE_BACK_RESPONSE_IDLE_MS
        start = b"-"
        while True:
            line = ("XPENDING", names.stream, names.group, "IDLE", least, start, "+", _PAGE)
            rows = (await endpoint.write(line))[0]
            if isinstance(rows, RedisError):
                raise rows
            for id, _, idle, count in rows:
                if idle >= _RESPONSE_FROM_MS and id not in endpoint.responder.held:
                    await self.claim(id, _GIVEN_BACK_FROM_MS, count, False, responses=True)
            if len(rows) < _PAGE or first:
                return
            start = b"(" + rows[-1][0]

    async def _take_back(self) -> None:
        endpoint, names, responder = self.endpoint, self.endpoint.names, self.endpoint.responder
        room = max(0, endpoint.options.concurrency - responder.running)
        if not room or (endpoint.options.no_handler and not mutant("takes-back-without-a-handler")):
            return
        least = 43_200_000 if mutant("given-back-from-12-h-on") else _GIVEN_BACK_FROM_MS
        start = b"-"
        while responder.running < endpoint.options.concurrency:
            line = ("XPENDING", names.stream, names.group, "IDLE", least, start, "+", room)
            rows = (await endpoint.write(line))[0]
            if isinstance(rows, RedisError):
                raise rows
            for id, _, idle, count in rows:
                if idle >= _RESPONSE_FROM_MS and mutant("requests-with-the-mark-of-responses-left"):
                    continue
                if (
                    id not in responder.held
                    and self.was_given_back(idle)
                    and responder.running < endpoint.options.concurrency
                ):
                    await self.claim(id, least, count, False)
            if len(rows) < room:
                return
            # The bodies of some may be gone.
            start = b"(" + rows[-1][0]
