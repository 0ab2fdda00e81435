"""Wakes tasks that wait for a change, without polling."""

from __future__ import annotations

import asyncio


class Pulse:
    """`bump()` wakes every waiter once. Waiters check again, and wait again."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()
        self.beats = 0
        """How often it was bumped. A reader that compares it with an earlier number sees whether it missed a bump."""

    def bump(self) -> None:
        self.beats += 1
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float, since: int | None = None) -> bool:
        """Waits until the next bump (or returns at once, if there was one `since` that beat), at most `seconds`seconds.

        False if the time ran out.
        """
        if since is not None and since != self.beats:
            return True
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiters.add(waiter)
        timer = loop.call_later(max(seconds, 0.0), _give_up, waiter)
        try:
            await waiter
            return True
        except _TimeIsUp:
            return False
        finally:
            timer.cancel()
            self._waiters.discard(waiter)


class _TimeIsUp(Exception):
    pass


def _give_up(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(_TimeIsUp())
