"""Responses that another instance of the group waits for: handed over, or kept for a grace (sections 7 and 11)."""

from __future__ import annotations

import asyncio
import contextlib

from .mutation import mutant
from .ports import EndpointPort
from .resp import Command, Lost, RedisError

GRACE = 12.0


class Grace:
    """A response whose instance is not registered."""

    starts = 1

    def __init__(self, relay: Relay, entry_id: bytes) -> None:
        self._relay = relay
        self.entry_id = entry_id
        self.claimed = asyncio.get_running_loop().time()

    def lost(self, acknowledge: bool) -> None:
        if self._relay.graces.pop(self.entry_id, None) is not None and acknowledge:
            self._relay.endpoint.settle(self.entry_id)


class Relay:
    def __init__(self, endpoint: EndpointPort) -> None:
        self.endpoint = endpoint
        self.graces: dict[bytes, Grace] = {}

    async def hand_over(self, entry_id: bytes, instance: bytes) -> None:
        """Until it is handed over, settled, or another member's."""
        if entry_id in self.graces:
            return
        if await self._handed(entry_id, instance):
            return
        self.graces[entry_id] = Grace(self, entry_id)
        await asyncio.sleep(0.0 if mutant("orphans-dropped-at-once") else 5.0 if mutant("grace-of-5-s") else GRACE)
        if entry_id not in self.graces:
            return
        handed = await self._handed(entry_id, instance)
        if self.graces.pop(entry_id, None) is not None and not handed and not mutant("orphans-kept"):
            self.endpoint.settle(entry_id, None if mutant("orphans-acknowledged-only") else entry_id)

    async def _handed(self, entry_id: bytes, instance: bytes) -> bool:
        """Whether the instance was registered, and the response is its own now."""
        while True:
            await self.endpoint.up.wait()
            try:
                listed, wakeup = await self.endpoint.group.look_up(instance)
            except (Lost, RedisError):
                await asyncio.sleep(0.1)
                continue
            if not listed or (
                mutant("hands-over-to-responders-only") and instance not in self.endpoint.group.responding
            ):
                return False
            if await self._give(entry_id, instance, listed[0], wakeup):
                return True
            await asyncio.sleep(0.2)

    async def _give(self, entry_id: bytes, instance: bytes, consumer: bytes, wakeup: bool) -> bool:
        """Whether there is nothing more to do: a claim without a reply is not repeated (RIPC-RECOV-18)."""
        names = self.endpoint.names
        if mutant("hands-over-to-the-dispatcher"):
            consumer = b"dispatcher_%b_0" % instance
        if mutant("hands-over-to-a-guessed-consumer"):
            consumer = b"consumer_%b_0" % instance
        min_idle = 1000 if mutant("hands-over-with-a-min-idle") else 0
        lines: list[Command] = [("XCLAIM", names.stream, names.group, consumer, min_idle, entry_id, "JUSTID")]
        if wakeup and self.endpoint.options.wakeups:
            lines.append(("PUBLISH", names.key(b"wakeup", instance), ""))
        try:
            if mutant("executed-means-handed-over"):
                return not isinstance(await self.endpoint.transaction(*lines[:1]), RedisError)
            reply = (await self.endpoint.write(*lines))[0]
        except Lost as lost:
            # What the claim did not reach is still in its own list, and is routed like new after the reconnect.
            return lost.sent and not mutant("repeats-a-lost-claim")
        if mutant("handed-over-and-acknowledged"):
            self.endpoint.settle(entry_id)
        if mutant("handed-over-and-deleted"):
            self.endpoint.settle(delete=entry_id)
        return not isinstance(reply, RedisError) or mutant("refused-hand-over-forgotten")

    async def leave(self) -> None:
        """Responses in their grace go to siblings; without one they are settled (RIPC-LIFE-28)."""
        ids = list(self.graces)
        self.graces.clear()
        if not ids or mutant("graces-left-on-disconnect"):
            return
        group = self.endpoint.group
        siblings = group.responding if mutant("requesters-are-no-siblings-on-leave") else group.siblings
        if siblings or mutant("graces-given-back-to-nobody"):
            with contextlib.suppress(Lost):
                await self.endpoint.claims.write_back(ids, responses=True)
        else:
            for id in ids[:100] if mutant("a-hundred-graces-settled-on-leave") else ids:
                self.endpoint.settle(id, id)
