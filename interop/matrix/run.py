"""The matrix: `make interop`, or with a Redis of one's own `REDIS_URL=... python interop/matrix/run.py`.

Every requester against every responder (contents, rejections, timeouts, channels), every pair and triple of languages in one
group, a killed member whose requests another language takes over, and a rolling restart that loses nothing.
Exit codes: 0 all held, 1 something did not, 2 wrong use.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from matrix.contents import fixture_values, for_pair
from matrix.implementations import ROOT, Implementation, implementations
from matrix.table import Cell, show
from talk.groups import killed, rolling
from talk.scenes import Failed, asks, mixed
from talk.testee import Refused, Testee

SIDE_BY_SIDE = 3
"""Scenes that run at once: most of them wait."""


class Matrix:
    def __init__(self, taking_part: list[Implementation], url: str, requests: int) -> None:
        self.taking_part = taking_part
        self.url = url
        self.requests = requests
        self.cells: list[Cell] = []
        self._values = fixture_values()
        self._gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def run(self) -> None:
        """All scenes; what came of each stands in ``cells``."""
        work = [self._scene("asks", [a, b], self._asks) for a in self.taking_part for b in self.taking_part]
        for a, b in itertools.combinations(self.taking_part, 2):
            work.append(self._scene("one group", [a, b], self._mixed))
        for a, b in itertools.permutations(self.taking_part, 2):
            if a.language != b.language:
                work.append(self._scene("killed", [a, b], self._killed))
        for group in itertools.chain(*(itertools.combinations(self.taking_part, size) for size in (2, 3))):
            if len({one.language for one in group}) == len(group):
                work.append(self._scene("rolling restart", list(group), self._rolling))
        await asyncio.gather(*work)

    async def _scene(
        self,
        scene: str,
        who: list[Implementation],
        play: Callable[[list[Implementation]], Coroutine[Any, Any, list[str]]],
    ) -> None:
        async with self._gate:
            try:
                cell = Cell(scene, [one.name for one in who], True, await asyncio.wait_for(play(who), 240))
            except (Failed, Refused, asyncio.TimeoutError, TimeoutError) as error:
                cell = Cell(scene, [one.name for one in who], False, [str(error) or type(error).__name__])
        self.cells.append(cell)
        print(cell, flush=True)

    async def _asks(self, who: list[Implementation]) -> list[str]:
        contents, left_out = for_pair({one.language for one in who}, self._values)
        asker, responder = await self._started(who)
        try:
            lines = await asks(asker, responder, self.url, self.requests, contents)
        finally:
            await asyncio.gather(asker.close(), responder.close())
        return lines + [f"left out: {count} {reason}" for reason, count in left_out.items()]

    async def _mixed(self, who: list[Implementation]) -> list[str]:
        one, other, responder = await self._started([*who, who[0]])
        try:
            return await mixed(one, other, responder, self.url, self.requests)
        finally:
            await asyncio.gather(one.close(), other.close(), responder.close())

    async def _killed(self, who: list[Implementation]) -> list[str]:
        victim, survivor = who
        return await killed(
            self._start(victim), self._start(survivor), self._start(survivor), self.url, _tolerated(who)
        )

    async def _rolling(self, who: list[Implementation]) -> list[str]:
        return await rolling([self._start(one) for one in who], self._start(who[0]), self.url, _tolerated(who))

    def _start(self, one: Implementation) -> Callable[[], Coroutine[Any, Any, Testee]]:
        return partial(Testee.start, one.name, one.command)

    async def _started(self, who: list[Implementation]) -> list[Testee]:
        return list(await asyncio.gather(*(self._start(one)() for one in who)))


def _tolerated(who: list[Implementation]) -> str:
    """Why entries may be left where these are in one group."""
    gem = any(one.language == "ruby" for one in who)
    return "a gem leaves responses whose instance has left (SPEC.md, GEM-4)" if gem else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=30, metavar="N", help="per figure (default 30)")
    parser.add_argument("--json", type=Path, default=ROOT / "out" / "interop.json", help="where the result goes")
    parser.add_argument("--only", default="", help="names of implementations, by commas")
    options = parser.parse_args()
    url = os.environ.get("REDIS_URL")
    if url is None:
        print("REDIS_URL is not set; `make interop` finds a Redis by itself", file=sys.stderr)
        return 2
    known = implementations()
    wanted = {name for name in options.only.split(",") if name}
    taking_part = []
    for one in known:
        if wanted and one.name not in wanted:
            continue
        if one.missing:
            print(f"not taking part: {one.name}: {one.missing}", flush=True)
        else:
            taking_part.append(one)
    matrix = Matrix(taking_part, url, options.requests)
    asyncio.run(matrix.run())
    print(show(matrix.cells))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    absent = {one.name: one.missing for one in known if one.missing}
    result = {"absent": absent, "requests": options.requests, "cells": [cell.plain() for cell in matrix.cells]}
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if all(cell.held for cell in matrix.cells) else 1


if __name__ == "__main__":
    sys.exit(main())
