"""Latencies to figures."""

from __future__ import annotations

from typing import Any, NamedTuple


class Level(NamedTuple):
    """One level of concurrency. ``latencies`` in seconds, of the answered requests; ``commands``: of Redis, in all."""

    concurrency: int
    size: int
    seconds: float
    latencies: list[float]
    failed: int
    asked_rate: float | None
    commands: int | None

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def record(self) -> dict[str, Any]:
        ordered = sorted(self.latencies)
        number = len(ordered)
        return {
            "concurrency": self.concurrency,
            "size": self.size,
            "seconds": round(self.seconds, 3),
            "requests": number,
            "failed": self.failed,
            "rate": round(self.rate, 1),
            "asked_rate": self.asked_rate,
            "p50_ms": milliseconds(percentile(ordered, 0.5)),
            "p90_ms": milliseconds(percentile(ordered, 0.9)),
            "p99_ms": milliseconds(percentile(ordered, 0.99)),
            "p999_ms": milliseconds(percentile(ordered, 0.999)),
            "most_ms": milliseconds(ordered[-1] if ordered else 0.0),
            "commands": None if self.commands is None or not number else round(self.commands / number, 2),
        }


def percentile(ordered: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed."""
    if not ordered:
        return 0.0
    return ordered[max(0, min(len(ordered) - 1, -(-round(share * len(ordered) * 1e6) // 1_000_000) - 1))]


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
