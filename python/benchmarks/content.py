"""``python -m benchmarks.content``: what content costs beside ``json`` alone, for 10 MiB of many shapes.

Each line is a shape: the time of ``json`` for it, and how many times as long ``encode`` and ``decode`` take. Both run in
turn in each round, and the smallest times are compared. ``--by orjson`` compares with orjson alone, where it is installed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from redisipc.protocol import json_fast
from redisipc.protocol.content import decode, encode

from .content_shapes import shapes

MIB = 1 << 20
MOST = 1.5
"""The largest ratio to ``json`` that is allowed."""


def smallest(rounds: int, *calls: Callable[[], Any]) -> list[float]:
    """The smallest time of a processor for each call, in s. They run in turn."""
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for number, call in enumerate(calls):
            start = time.thread_time()
            call()
            best[number] = min(best[number], time.thread_time() - start)
    return best


def written(value: Any, ascii_only: bool) -> bytes:
    """The text as another program writes it."""
    return json.dumps(value, ensure_ascii=ascii_only).encode()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.content", description=__doc__)
    parser.add_argument("--mib", type=float, default=10, help="size of each text (default 10)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each shape (default 5)")
    parser.add_argument("--only", default="", help="a part of the name of the shapes")
    parser.add_argument("--part", default="1/1", help="a part of the shapes, such as 2/3 for the second third")
    parser.add_argument("--by", choices=("json", "orjson"), default="json", help="who reads and writes (default json)")
    options = parser.parse_args()
    if options.by == "json":
        json_fast.skip()
    plain_dumps: Callable[[Any], bytes] = partial(written, ascii_only=False)
    plain_loads: Callable[[bytes], Any] = json.loads
    if options.by == "orjson":
        json_fast.seek()
        if json_fast.orjson is None:
            raise SystemExit("orjson is not installed: pip install orjson")
        plain_dumps, plain_loads = json_fast.orjson.dumps, json_fast.orjson.loads
    print(
        f"Python {sys.version.split()[0]}, {options.by}, {options.mib:g} MiB a text, the smallest of {options.rounds} rounds"
    )
    print(f"{'shape':44} {'dumps ms':>9} {'encode':>7} {'loads ms':>9} {'decode':>7}")
    number, of = map(int, options.part.split("/"))
    over: list[str] = []
    worst = 0.0
    for name, make, texts in list(shapes(int(options.mib * MIB)))[number - 1 :: of]:
        if options.only not in name:
            continue
        value = make()
        text = texts(value)
        plain, ours = smallest(options.rounds, partial(plain_dumps, value), partial(encode, value))
        loads, reads = smallest(options.rounds, partial(plain_loads, text), partial(decode, text))
        ratios = ours / plain, reads / loads
        worst = max(worst, *ratios)
        if max(ratios) > MOST:
            over.append(name)
        print(f"{name:44} {1e3 * plain:9.1f} {ratios[0]:7.2f} {1e3 * loads:9.1f} {ratios[1]:7.2f}", flush=True)
    print(f"the largest ratio: {worst:.2f}; over {MOST:g}: {', '.join(over) or 'none'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
