"""When the replies to the runner's own commands came late: for the time in between, the runner itself was slow.

One connection serves all scenarios of a server. A slow command of one of them, or a large reply, delays the commands of all others.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

LATE = 0.2
"""A command that waits for its reply for more seconds was held up."""
SPANS_KEPT = 10000


class Delays:
    """The spans of `time.monotonic` in which a command waited for a late reply. Spans that overlap count once."""

    def __init__(self) -> None:
        self._spans: deque[tuple[float, float]] = deque(maxlen=SPANS_KEPT)
        self._waiting: dict[object, float] = {}

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the sending of commands and the wait for their replies."""
        key = object()
        self._waiting[key] = time.monotonic()
        try:
            yield
        finally:
            self.add(self._waiting.pop(key), time.monotonic())

    def add(self, began: float, ended: float) -> None:
        """A command that was sent at `began` had its reply at `ended`. Replies come in the order of the commands."""
        if ended - began <= LATE:
            return
        while self._spans and self._spans[-1][1] >= began:
            began = min(began, self._spans.pop()[0])
        self._spans.append((began, ended))

    def since(self, moment: float) -> float:
        """The seconds after `moment` in which a reply was late, that of a command without a reply so far included."""
        return sum(self._after(moment))

    def longest(self, moment: float) -> float:
        """The longest span of such seconds."""
        return max(self._after(moment), default=0.0)

    def _after(self, moment: float) -> Iterator[float]:
        now = time.monotonic()
        open_ = min((began for began in self._waiting.values() if now - began > LATE), default=now)
        for began, ended in (*self._spans, (open_, now)):
            until = now if began == open_ else min(ended, open_)
            if until > max(began, moment):
                yield until - max(began, moment)
