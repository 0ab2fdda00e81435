"""Mixed groups with faults: a member is killed, and all members are replaced one after the other."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from .handover import wait_until_quiet
from .scenes import echo, expect, saying
from .testee import Outcome, Testee

Start = Callable[[], Coroutine[Any, Any, Testee]]
TAKEN_OVER = 60.0
"""The timeout in seconds for a dead member's requests: they start again within 15 s, and a gem needs a little more."""


async def _left(url: str, stream: str, tolerated: str) -> list[str]:
    """Nothing may stay on the stream; ``tolerated`` says why something may still."""
    left = await asyncio.to_thread(wait_until_quiet, url, stream, 20)
    expect(left == 0 or bool(tolerated), f"{left} entries are left on the stream")
    return [f"{left} entries are left on the stream: {tolerated}"] if left else []


def told(testees: Sequence[Testee]) -> str:
    """Their reports, to be shown with a failure."""
    errors = [f"{one.name}: {error['kind']}: {error['message']}" for one in testees for error in one.errors]
    return f"; reported: {errors[:5]}" if errors else ""


async def killed(victim: Start, survivor: Start, asker: Start, url: str, tolerated: str = "") -> list[str]:
    """A member dies while it holds requests. The other member, of another language, runs them."""
    stream = f"interop-{secrets.token_hex(4)}"
    dying, living, asking = await asyncio.gather(victim(), survivor(), asker())
    try:
        living.answers["member"] = saying("the survivor")
        # The victim holds its requests: no answer is registered for it.
        for member in (dying, living):
            await member.call("connect", endpoint="member", url=url, stream=stream, group="mixed")
        await asking.call(
            "connect", endpoint="ask", url=url, stream=stream, group="ask", options={"timeout": TAKEN_OVER}
        )
        sent: list[asyncio.Task[Outcome]] = []
        for number in range(200):
            sent.append(
                asyncio.create_task(
                    asking.ask("send", seconds=TAKEN_OVER + 10, endpoint="ask", to="mixed", content=number)
                )
            )
            await asyncio.sleep(0.02)
            if len(dying.received) >= 3:
                break
        held = len(dying.received)
        expect(held > 0, f"of {len(sent)} requests {dying.name} was given none")
        dying.kill()
        outcomes = await asyncio.gather(*sent)
        wrong = [one for one in outcomes if (one.status, one.content) != ("fulfilled", "the survivor")]
        expect(
            not wrong,
            f"{len(wrong)} of {len(outcomes)} requests were not taken over: {wrong[:1]}{told([dying, living, asking])}",
        )
        left = await _left(url, stream, tolerated)
        return [
            f"{held} requests of {dying.name} were run by {living.name} after at most {max(o.took for o in outcomes):.1f} s",
            *left,
        ]
    finally:
        await asyncio.gather(*(one.close() for one in (dying, living, asking)))


async def rolling(members: Sequence[Start], asker: Start, url: str, tolerated: str = "") -> list[str]:
    """While requests come, each member is replaced by a new process: the new one joins, then the old one leaves."""
    stream = f"interop-{secrets.token_hex(4)}"
    asking = await asker()
    running = list(await asyncio.gather(*(start() for start in members)))
    everybody = [asking, *running]
    outcomes: list[Outcome] = []
    over = asyncio.Event()

    async def join(member: Testee) -> None:
        member.answers["member"] = echo
        await member.call("connect", endpoint="member", url=url, stream=stream, group="mixed")

    async def send(sender: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            content = [sender, number]
            outcome = await asking.ask("send", seconds=TAKEN_OVER + 10, endpoint="ask", to="mixed", content=content)
            outcomes.append(outcome)
            held = (outcome.status, outcome.content) == ("fulfilled", content)
            expect(held, f"{content} ended as {outcome}{told(everybody)}")

    try:
        for member in running:
            await join(member)
        await asking.call(
            "connect", endpoint="ask", url=url, stream=stream, group="ask", options={"timeout": TAKEN_OVER}
        )
        senders = [asyncio.create_task(send(sender)) for sender in range(4)]
        for start, old in zip(members, list(running), strict=True):
            await asyncio.sleep(0.5)
            new = await start()
            everybody.append(new)
            await join(new)
            await asyncio.sleep(0.3)
            await old.call("disconnect", endpoint="member")
            await old.close()
        await asyncio.sleep(0.5)
        over.set()
        await asyncio.gather(*senders)
        left = await _left(url, stream, tolerated)
        slowest = max(outcome.took for outcome in outcomes)
        return [
            f"{len(outcomes)} requests while {len(members)} members were replaced, none lost; the slowest took {slowest:.1f} s",
            *left,
        ]
    finally:
        await asyncio.gather(*(one.close() for one in everybody))
