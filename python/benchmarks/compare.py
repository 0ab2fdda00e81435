"""Compares the ratios of this run with those of a stored run, and finds those that got worse by more than both spreads.

The latency of the floor depends on the time that a machine takes to wake a process. The cost of many requests at once hardly
depends on it. So times are compared only if the floor is about as quick as in the stored run. Processor time is always compared.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .figures import Line

ABOUT = 1.3
"""The greatest ratio by which the floor may be quicker or slower than in the stored run."""


def like(lines: list[Line], stored: Path) -> str:
    """The reason why times of this run cannot be compared with those of the stored run; empty if they can."""
    now = {one.name: one.p50.median for one in lines if one.part == "one at a time"}.get("floor_streams")
    about = [one for one in json.loads(stored.read_text())["lines"] if one["name"] == "floor_streams"]
    if now is None or not about:
        return "the floor is missing"
    then = about[0]["p50"]["median"]
    if then / ABOUT <= now <= then * ABOUT:
        return ""
    return f"the floor took {now:.0f} us, and {then:.0f} us when it was stored: only processor time is compared"


def worse(lines: list[Line], stored: Path) -> list[str]:
    """A sentence for each line whose ratio got worse by more than the spread of both runs."""
    before: dict[Any, Any] = {
        (one["part"], one["title"], one["at_once"]): one for one in json.loads(stored.read_text())["lines"]
    }
    found = []
    times = not like(lines, stored)
    for one in lines:
        old = before.get((one.part, one.title, one.at_once))
        if old is None:
            continue
        for key, now in one.ratios.items():
            then = old["ratios"].get(key)
            if then is None or key == "p99":
                # In a short run, a few requests decide it by chance.
                continue
            if key == "cpu" and now.low > then["high"]:
                found.append(
                    f"{one.title}, {one.at_once} at once: processor time {now.text()} x the floor, was {then['median']:.2f}"
                )
            elif not times:
                continue
            elif key == "rate" and now.high < then["low"]:
                found.append(
                    f"{one.title}, {one.at_once} at once: rate {now.text()} of the floor, was {then['median']:.2f}"
                )
            elif key == "p50" and now.low > then["high"]:
                found.append(
                    f"{one.title}, {one.at_once} at once: p50 {now.text()} x the floor, was {then['median']:.2f}"
                )
    return found
