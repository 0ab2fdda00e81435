"""Ratios of this run against those of a stored one: what got worse by more than both spreads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .figures import Line


def worse(lines: list[Line], stored: Path) -> list[str]:
    """A sentence for each line whose ratio moved the wrong way beyond the spread of both runs."""
    before: dict[Any, Any] = {
        (one["part"], one["title"], one["at_once"]): one for one in json.loads(stored.read_text())["lines"]
    }
    found = []
    for one in lines:
        old = before.get((one.part, one.title, one.at_once))
        if old is None:
            continue
        for key, now in one.ratios.items():
            then = old["ratios"].get(key)
            if then is None or key == "p99":
                # Of a short run it is the luck of a few requests.
                continue
            if key == "rate" and now.high < then["low"]:
                found.append(
                    f"{one.title}, {one.at_once} at once: rate {now.text()} of the floor, was {then['median']:.2f}"
                )
            elif key == "p50" and now.low > then["high"]:
                found.append(
                    f"{one.title}, {one.at_once} at once: p50 {now.text()} x the floor, was {then['median']:.2f}"
                )
    return found
