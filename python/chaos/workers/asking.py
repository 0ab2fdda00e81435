"""The requests of a worker, drawn from a seed: kinds of work, times of handlers, and timeouts."""

from __future__ import annotations

import random
from dataclasses import dataclass
from time import monotonic
from typing import Any

EACH = 1_000_000
"""The first number of the requests of a process is the number of the process times this."""
BIG = 30_000
"""Characters of a large content."""


@dataclass(frozen=True)
class Ask:
    """One request. ``seconds``: the time of its handler or, for ``cancel``, until the sender cancels it."""

    number: int
    to: str
    kind: str
    seconds: float
    timeout: float

    @property
    def content(self) -> dict[str, Any]:
        content = {"n": self.number, "k": self.kind, "d": round(self.seconds, 4)}
        return {**content, "pad": "x" * BIG} if self.kind == "big" else content


_SECONDS = {
    "short": (0.002, 0.05),
    "medium": (0.2, 0.8),
    "long": (3.0, 12.0),
    "later": (0.01, 0.3),
    "busy": (0.01, 0.05),
    "cancel": (0.05, 4.0),
}


class Asking:
    """Draws requests. ``config``: process, seed, rate, burst, targets, kinds and timeouts by weight."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.random = random.Random(config["seed"])
        self.rate: float = config["rate"]
        self.burst: float = max(1.0, config["burst"])
        self._hushed = 0.0
        self._next = config["process"] * EACH
        self._targets: list[str] = config["targets"]
        self._kinds: dict[str, float] = config["kinds"]
        self._timeouts = {float(name): weight for name, weight in config["timeouts"].items()}

    def due(self, last: float) -> float:
        """The time of the next requests, after those that were due at ``last``. A process that stood still does not catch up."""
        return max(last + self.random.expovariate(self.rate / self.burst), monotonic() - 1.0, self._hushed)

    def together(self) -> int:
        """The number of requests at one moment: at least one, on average ``burst``."""
        count = 1
        while self.random.random() >= 1 / self.burst:
            count += 1
        return count

    def hush(self, seconds: float) -> None:
        """Stops the requests for so many seconds."""
        self._hushed = monotonic() + seconds

    def draw(self) -> Ask:
        kind = self._choose(self._kinds)
        timeout = self._choose(self._timeouts)
        if kind == "long":
            timeout = max(timeout, 8.0)
        return self.make(
            self.random.choice(self._targets), kind, self.random.uniform(*_SECONDS.get(kind, (0, 0))), timeout
        )

    def make(self, to: str, kind: str, seconds: float, timeout: float) -> Ask:
        self._next += 1
        return Ask(self._next, to, kind, seconds, timeout)

    def _choose(self, weights: dict[Any, float]) -> Any:
        return self.random.choices(list(weights), list(weights.values()))[0]
