"""Makes new inputs from old ones. The same seed gives the same inputs on each machine."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .separators import ENTRY, FIELD

_TOKENS = (
    ENTRY, FIELD, b"\r\n", b"*", b"$", b":", b"-", b"id", b"status", b"pending", b"fulfilled", b"destination_group", b"web",
    b"\x00", b"\xff", b"\xc3\x28", b"\\ud800", b"\\u0000", b"[", b"]", b"{", b"}", b'"', b"\\", b"1e309", b"-0", b"null", b"NaN",
    b"99999999999999999999", b"9" * 5000, b"[" * 101, b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"__proto__", b"params", b"event",
)  # fmt: skip


def inputs(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` inputs: first the seeds themselves, then mutations and crossings of them."""
    source = random.Random(seed)
    pool = list(seeds)
    for number in range(count):
        if number < len(seeds):
            yield seeds[number]
            continue
        data = bytearray(source.choice(pool))
        for _ in range(source.choice((1, 1, 2, 3, 8))):
            _mutate(data, source, pool)
        made = bytes(data[:20_000])
        if source.random() < 0.02 and len(pool) < 500:
            pool.append(made)
        yield made


def _mutate(data: bytearray, source: random.Random, pool: list[bytes]) -> None:
    at = source.randrange(len(data) + 1)
    end = min(len(data), at + source.choice((1, 1, 2, 4, 16, 64)))
    kind = source.randrange(6)
    if kind == 0:
        data[at:at] = source.choice(_TOKENS)
    elif kind == 1:
        del data[at:end]
    elif kind == 2:
        data[at:end] = source.choice(_TOKENS)
    elif kind == 3 and at < len(data):
        data[at] ^= 1 << source.randrange(8)
    elif kind == 4:
        data[at:at] = data[at:end] * source.choice((1, 2, 50))
    else:
        other = source.choice(pool)
        start = source.randrange(len(other) + 1)
        data[at:] = other[start:]
