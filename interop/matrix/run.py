"""The matrix: `make interop`, or with a Redis of one's own `REDIS_URL=... python interop/matrix/run.py`.

Every requester meets every responder: contents, rejections, timeouts, channels. Every pair and triple of languages shares one
group. A member is killed, and another language takes its requests over. A rolling restart loses nothing.
With --quick only pairs of two languages, and no scene in which a member dies or leaves. If only one language is
available, its implementations meet each other. Exit codes: 0 all scenes held, 1 a scene did not hold or none was
played, 2 wrong use.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import redis

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from matrix.contents import fixture_values, for_pair
from matrix.implementations import ROOT, Implementation, implementations
from matrix.table import Cell, show
from talk.groups import killed, rolling
from talk.scenes import Failed, asks, mixed
from talk.testee import CallFailed, Testee, Unusable

BUSY_AT_ONCE = 2
"""Scenes that keep a processor busy."""
LONGEST_SCENE = 240.0
"""Seconds."""
WAITING_AT_ONCE = 4
"""Scenes that wait until a dead member's requests are taken over."""


class Matrix:
    def __init__(self, taking_part: list[Implementation], url: str, requests: int, quick: bool) -> None:
        self.taking_part = taking_part
        self.url = url
        self.requests = requests
        self.quick = quick
        self.versions: dict[str, str] = {}
        self.cells: list[Cell] = []
        self._values = fixture_values()
        self._busy = asyncio.Semaphore(BUSY_AT_ONCE)
        self._waiting = asyncio.Semaphore(WAITING_AT_ONCE)

    async def run(self) -> None:
        """All scenes; the result of each is in ``cells``.

        An implementation that cannot be started fails one scene, and takes part in no other.
        """
        started = await asyncio.gather(*(self._greet(one) for one in self.taking_part))
        self.taking_part = [one for one, here in zip(self.taking_part, started, strict=True) if here]
        await asyncio.gather(*(self._quick() if self.quick else self._all()))

    def _all(self) -> Iterator[Awaitable[None]]:
        everybody = self.taking_part
        for pair in itertools.permutations(everybody, 2):
            if _one_a_language(pair):
                yield self._scene("killed", pair, self._killed, self._waiting)
        for both in itertools.product(everybody, repeat=2):
            yield self._scene("asks", both, self._asks, self._busy)
        groups: Iterable[Sequence[Implementation]] = itertools.chain(
            itertools.combinations(everybody, 2), itertools.combinations(everybody, 3)
        )
        for group in groups:
            if len(group) == 2 or _one_a_language(group):
                yield self._scene("one group", group, self._mixed, self._busy)
            if _one_a_language(group):
                yield self._scene("rolling restart", group, self._rolling, self._busy)

    def _quick(self) -> Iterator[Awaitable[None]]:
        pairs = quick_pairs(self.taking_part)
        for one, other in pairs:
            yield self._scene("asks", (one, other), self._asks, self._busy)
            yield self._scene("asks", (other, one), self._asks, self._busy)
        for pair in pairs:
            yield self._scene("one group", pair, self._mixed, self._busy)

    async def _greet(self, one: Implementation) -> bool:
        began = time.monotonic()
        try:
            testee = await self._start(one)()
        except Unusable as error:
            self._note(Cell("start", [one.name], False, [str(error)], round(time.monotonic() - began, 1)))
            return False
        self.versions[one.name] = testee.version
        print(f"taking part: {one.name}: {testee.version}", flush=True)
        await testee.close()
        return True

    async def _scene(
        self,
        scene: str,
        who: Sequence[Implementation],
        play: Callable[[Sequence[Implementation]], Coroutine[Any, Any, list[str]]],
        gate: asyncio.Semaphore,
    ) -> None:
        async with gate:
            began = time.monotonic()
            try:
                held, lines = True, await asyncio.wait_for(play(who), LONGEST_SCENE)
            except (Failed, CallFailed, Unusable, asyncio.TimeoutError, TimeoutError, OSError) as error:
                held, lines = False, [str(error) or f"not over after {LONGEST_SCENE:.0f} s"]
        self._note(Cell(scene, [one.name for one in who], held, lines, round(time.monotonic() - began, 1)))

    def _note(self, cell: Cell) -> None:
        self.cells.append(cell)
        print(cell, flush=True)

    async def _asks(self, who: Sequence[Implementation]) -> list[str]:
        contents = for_pair(who[0].language, who[1].language, self._values)
        asker, responder = await self._started(who)
        try:
            lines = await asks(asker, responder, self.url, self.requests, contents.both_ways, contents.one_way)
        finally:
            await asyncio.gather(asker.close(), responder.close())
        return lines + [f"left out: {count} {reason}" for reason, count in contents.left_out.items()]

    async def _mixed(self, who: Sequence[Implementation]) -> list[str]:
        *members, responder = await self._started([*who, who[0]])
        try:
            return await mixed(members, responder, self.url, self.requests)
        finally:
            await asyncio.gather(*(one.close() for one in (*members, responder)))

    async def _killed(self, who: Sequence[Implementation]) -> list[str]:
        victim, survivor = who
        return await killed(
            self._start(victim), self._start(survivor), self._start(survivor), self.url, _tolerated(who)
        )

    async def _rolling(self, who: Sequence[Implementation]) -> list[str]:
        return await rolling([self._start(one) for one in who], self._start(who[0]), self.url, _tolerated(who))

    def _start(self, one: Implementation) -> Callable[[], Coroutine[Any, Any, Testee]]:
        return partial(Testee.start, one.name, one.command)

    async def _started(self, who: Sequence[Implementation]) -> list[Testee]:
        return list(await asyncio.gather(*(self._start(one)() for one in who)))


def quick_pairs(taking_part: Sequence[Implementation]) -> list[tuple[Implementation, Implementation]]:
    """The pairs of a short run: those of two languages. With one language alone these would be none: then all pairs."""
    pairs = list(itertools.combinations(taking_part, 2))
    return [pair for pair in pairs if _one_a_language(pair)] or pairs


def _one_a_language(who: Sequence[Implementation]) -> bool:
    return len({one.language for one in who}) == len(who)


def _tolerated(who: Sequence[Implementation]) -> str:
    """Why entries may be left where these are in one group."""
    gem = any(one.language == "ruby" for one in who)
    return "a gem leaves responses whose instance has left (SPEC.md, GEM-4)" if gem else ""


def server(url: str) -> str:
    """Which Redis it was."""
    with redis.Redis.from_url(url) as client:
        info: dict[str, Any] = client.info("server")
    return f"{info.get('server_name', 'redis')} {info.get('valkey_version') or info['redis_version']}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=30, metavar="N", help="per figure (default 30)")
    parser.add_argument("--json", type=Path, default=ROOT / "out" / "interop.json", help="where the result goes")
    parser.add_argument("--only", default="", help="names of implementations, by commas")
    parser.add_argument("--quick", action="store_true", help="fewer pairs, and nothing that takes long")
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
    began = time.monotonic()
    matrix = Matrix(taking_part, url, options.requests, options.quick)
    asyncio.run(matrix.run())
    seconds = round(time.monotonic() - began, 1)
    print(f"{show(matrix.cells)} {seconds:.0f} s.")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "redis": server(url),
        "implementations": matrix.versions,
        "absent": {one.name: one.missing for one in known if one.missing},
        "requests": options.requests,
        "quick": options.quick,
        "seconds": seconds,
        "cells": [cell.plain() for cell in matrix.cells],
    }
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if matrix.cells and all(cell.held for cell in matrix.cells) else 1


if __name__ == "__main__":
    sys.exit(main())
