"""``python -m benchmarks.content``: the cost of content compared with ``json`` alone, for 10 MiB of many shapes.

Each line is a shape: the time of ``json`` for it, and how many times as long ``encode`` and ``decode`` take. Both run
alternately in each round, and the smallest times are compared.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from redisipc.protocol.content import decode, encode

MIB = 1 << 20
EMOJI = "\U0001f600"


def shapes(size: int) -> Iterator[tuple[str, Any]]:
    """The names of the shapes, with values whose texts have about ``size`` bytes."""
    file = base64.b64encode(random.Random(1).randbytes(size * 3 // 4)).decode()
    few = [{"id": number, "name": "n"} for number in range(150)]
    row = {"id": 4711, "name": "a thing", "price": 12.5, "tags": ["red", "blue"], "sold": True}
    yield "rows", [{**row, "id": number} for number in range(size // 80)]
    yield "rows of two", [{"id": number, "name": "n"} for number in range(size // 26)]
    yield (
        "rows with quotes and line feeds",
        [{"id": number, "text": 'he said "no"\nand left'} for number in range(size // 54)],
    )
    yield "rows with escaped letters", [{"id": number, "text": "é" * 20} for number in range(size // 145)]
    yield "rows with an emoji", [{"id": number, "text": f"hi {EMOJI} there"} for number in range(size // 48)]
    yield "rows of emojis", [{"id": number, "text": EMOJI * 8} for number in range(size // 120)]
    yield "an object by number", {str(number): f"name {number}" for number in range(size // 26)}
    yield "base64", file
    yield "base64 in an object", {"name": "a.bin", "data": file}
    yield "150 rows, then base64", {"rows": few, "file": file}
    yield "base64, then 150 rows", {"file": file, "rows": few}
    yield "a text with an emoji", {"text": "x" * size, "mood": EMOJI}
    yield "a text of emojis", {"text": EMOJI * (size // 12)}
    yield "texts of emojis", [EMOJI * 40 for _ in range(size // 485)]
    yield "a text of escaped letters", {"text": "é" * (size // 6)}
    yield "a text of quotes", [['\\"' * (size // 4)], *([[]] * 200)]
    yield "lines", "x\n" * (size // 3)
    yield "lines in an object", {"text": "word word word word\n" * (size // 21)}
    yield "numbers", list(range(size // 9))
    yield "fractions", [number / 7 for number in range(size // 20)]
    yield "short strings", ["ab"] * (size // 6)
    yield "lists of nothing", [[] for _ in range(size // 4)]
    yield "objects of nothing", [{} for _ in range(size // 4)]
    yield "a hundred levels, again and again", [nested(99) for _ in range(size // 200)]
    yield "a hundred levels around a text", nested(100, "x" * size)


def nested(levels: int, value: Any = 1) -> Any:
    """``value`` inside so many nested lists."""
    for _ in range(levels):
        value = [value]
    return value


def smallest(rounds: int, *calls: Callable[[], Any]) -> list[float]:
    """The smallest processor time of each call, in s. The calls run alternately."""
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for number, call in enumerate(calls):
            start = time.thread_time()
            call()
            best[number] = min(best[number], time.thread_time() - start)
    return best


def written(value: Any, ascii_only: bool) -> bytes:
    """The text in the form that another program writes."""
    return json.dumps(value, ensure_ascii=ascii_only).encode()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.content", description=__doc__)
    parser.add_argument("--mib", type=float, default=10, help="size of each text (default 10)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each shape (default 5)")
    parser.add_argument("--only", default="", help="a part of the name of the shapes")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {options.mib:g} MiB a text, the smallest of {options.rounds} rounds")
    print(f"{'shape':34} {'dumps ms':>9} {'encode':>7} {'loads ms':>9} {'decode':>7}")
    worst = 0.0
    for name, value in shapes(int(options.mib * MIB)):
        if options.only not in name:
            continue
        text = written(value, ascii_only=True)
        plain, ours = smallest(options.rounds, partial(written, value, ascii_only=False), partial(encode, value))
        loads, reads = smallest(options.rounds, partial(json.loads, text), partial(decode, text))
        worst = max(worst, ours / plain, reads / loads)
        print(f"{name:34} {1e3 * plain:9.1f} {ours / plain:7.2f} {1e3 * loads:9.1f} {reads / loads:7.2f}", flush=True)
    print(f"the largest ratio: {worst:.2f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
