"""The clock that counts budgets. On a machine so busy that the runner itself stands still, this clock stands still,
too.

What the wire promises is measured by the real clock. A budget only says when to give up, and a testee must not fail
because it got no processor.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, TypeVar

from ..within import take_note

T = TypeVar("T")
TICK = 0.05
"""Seconds between two ticks."""
LONGEST_TICK = 2.0
"""A tick may take so many times its length. The machine caused any longer delay."""

NOTICED = 0.02
"""A tick that is later than so many seconds is remembered."""
STALLS_KEPT = 40000
"""How many moments are remembered at which the runner stood still."""


class BudgetClock:
    """Ticks while its block runs."""

    def __init__(self) -> None:
        self._counted = 0.0
        self._last = time.monotonic()
        self._task: asyncio.Task[None] | None = None
        self._lags: deque[tuple[float, float]] = deque(maxlen=STALLS_KEPT)

    def lag(self, since: float) -> float:
        """The seconds for which the runner itself stood still after `since`, a time of `time.monotonic`."""
        return self._late(since, (LONGEST_TICK - 1) * TICK)

    def worst_lag(self, since: float, span: float) -> float:
        """The most seconds for which the runner stood still within one span of so many seconds after `since`.

        What is spread over a long scenario adds up in `lag`, and yet no connection was without a byte for long.
        """
        lags = [(ended, lasted) for ended, lasted in self._lags if ended > since and lasted > (LONGEST_TICK - 1) * TICK]
        sums, first, total = [self._late(time.monotonic(), 0.0)], 0, 0.0
        for ended, lasted in lags:
            total += lasted
            while lags[first][0] <= ended - span:
                total -= lags[first][1]
                first += 1
            sums.append(total)
        return max(sums)

    def all_lag(self, since: float) -> float:
        """As `lag`, but it also counts moments in which the runner was only a little late."""
        return self._late(since, NOTICED)

    def _late(self, since: float, least: float) -> float:
        present = max(time.monotonic() - self._last - TICK - least, 0.0) if self._task is not None else 0.0
        return present + sum(lasted for ended, lasted in self._lags if ended > since and lasted > least)

    def now(self) -> float:
        """Counted seconds since its creation."""
        since = time.monotonic() - self._last
        return self._counted + (since if self._task is None else min(since, LONGEST_TICK * TICK))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._counted = self.now()
            now = time.monotonic()
            if now - self._last > TICK + NOTICED:
                self._lags.append((now, now - self._last - TICK))
            self._last = now

    async def __aenter__(self) -> BudgetClock:
        self._last = time.monotonic()
        self._task = asyncio.get_running_loop().create_task(self._tick())
        return self

    async def __aexit__(self, *error: Any) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._counted, self._task = self.now(), None

    async def wait(self, future: asyncio.Future[T], seconds: float) -> T:
        """The result. TimeoutError if it does not come within so many counted seconds; the future is cancelled then."""
        end = self.now() + seconds
        try:
            while not future.done():
                left = end - self.now()
                if left <= 0:
                    raise TimeoutError(f"not done within {seconds:g} s")
                await asyncio.wait({future}, timeout=max(left, TICK))
            return future.result()
        finally:
            future.add_done_callback(take_note)
            if not future.done():
                future.cancel()
