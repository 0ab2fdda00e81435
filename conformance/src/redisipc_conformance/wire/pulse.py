"""Wakes whoever waits for something to change, without anybody polling."""

from __future__ import annotations

import asyncio


class Pulse:
    """`bump()` wakes every waiter once. Waiters look again and wait again."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def bump(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, seconds: float) -> bool:
        """Until the next bump, at most `seconds`; False when the time ran out."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, max(seconds, 0.0))
            return True
        except (asyncio.TimeoutError, TimeoutError):
            return False
        finally:
            self._waiters.discard(waiter)
