"""``redisipc bench``: asks a group as fast as it can, or at a fixed rate, and prints how long the answers took."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from time import monotonic
from typing import Any

from redisipc.cli.ask.why import why
from redisipc.cli.exits import NOBODY, OK, REDIS, TIMEOUT, USAGE, Problem
from redisipc.cli.look.stream import look
from redisipc.cli.options import Given
from redisipc.cli.output import table
from redisipc.cli.values import count, counts, duration, name
from redisipc.errors import ConnectionLost, Rejected, RequestError

from .figures import Level

WARM_UP = 20
"""Requests before the first measured one."""
ECHO_WITHIN = 15.0
"""Seconds in which its own echo must be there."""


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    add = parser.add_argument
    add(
        "--between",
        type=name,
        metavar="GROUP",
        help="measure this group of the stream; without it, bench starts a responder on a stream of its own",
    )
    add("--concurrency", "-c", type=counts, default=[1, 16, 64], metavar="1,16,64", help="requests outstanding at once")
    add("--duration", "-d", type=duration, default=10.0, metavar="10s", help="for each level (default: 10s)")
    add(
        "--rate",
        type=float,
        metavar="N",
        help="requests a second; a latency is counted from the time at which its request was due",
    )
    add("--size", type=count, default=16, metavar="BYTES", help="bytes of the content (default: 16)")
    parser.epilog = (
        "A fixed --rate shows what users feel: a stall counts for all requests that were due in it. Without --rate, each\n"
        "request waits for the previous answer, so a stall counts once. At the end, bench deletes its own groups and stream."
    )


def run(given: Given) -> int:
    """All levels, one after the other."""
    if given.rate is not None and not given.rate > 0:
        raise Problem(USAGE, "--rate must be above 0")
    with _partner(given) as (stream, group):
        own = f"bench-{secrets.token_hex(3)}"
        try:
            levels = asyncio.run(_ask(given, stream, own, group))
        except ConnectionLost as error:
            raise Problem(REDIS, str(error)) from error
        finally:
            given.client.batch([("XGROUP", "DESTROY", stream, own)])
    if not given.out.json:
        _show(given, levels)
    if any(level.failed for level in levels):
        reason = why(given.client, stream, group)
        given.out.say(f"some requests got no answer: {reason.text}" if given.between else "some requests got no answer")
        return reason.status if given.between and not any(level.latencies for level in levels) else TIMEOUT
    return OK


@contextlib.contextmanager
def _partner(given: Given) -> Iterator[tuple[str, str]]:
    """The stream and the group that is asked."""
    if given.between:
        found = look(given.client, given.stream, given.between)
        own = found.group(given.between) if found else None
        if own is None or not own.alive:
            raise Problem(NOBODY, why(given.client, given.stream, given.between).text)
        yield given.stream, given.between
        return
    stream = f"{{redisipc-bench-{secrets.token_hex(4)}}}"
    words = [sys.executable, "-m", "redisipc", "serve", "echo", "--quiet", "--concurrency", "256", "--stream", stream]
    environment = {**os.environ, **({"REDIS_URL": given.url_given} if given.url_given else {})}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        said = process.stderr.readline().decode("utf-8", "replace").strip()
        if not said.startswith("serving"):
            raise Problem(REDIS, said.removeprefix("redisipc: ") or "the echo did not start")
        yield stream, "echo"
    finally:
        process.terminate()
        try:
            process.wait(ECHO_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()
        given.client.batch([("DEL", stream)])


async def _ask(given: Given, stream: str, own: str, group: str) -> list[Level]:
    # Only here: it brings redis-py along.
    from redisipc.runtime.asyncio.stream import Stream

    async with Stream(stream, own, url=given.url_given, timeout=given.timeout) as asker:
        for _ in range(WARM_UP):
            with contextlib.suppress(RequestError):
                await asker.request("x", to=group)
        levels = []
        for concurrency in given.concurrency:
            level = await _level(given, asker, group, concurrency)
            levels.append(level)
            if given.out.json:
                given.out.record(level.record())
        return levels


async def _level(given: Given, asker: Any, group: str, concurrency: int) -> Level:
    content, rate = "x" * given.size, given.rate
    latencies: list[float] = []
    failed = 0
    before = _executed(given)
    begin = monotonic()
    end = begin + given.duration
    numbers = iter(range(1 << 62))

    async def work() -> None:
        nonlocal failed
        while True:
            due = begin + next(numbers) / rate if rate else monotonic()
            if due >= end:
                return
            if rate and (early := due - monotonic()) > 0:
                await asyncio.sleep(early)
            try:
                await asker.request(content, to=group)
            except Rejected:
                pass
            except RequestError:
                failed += 1
                continue
            latencies.append(monotonic() - due)

    await asyncio.gather(*(work() for _ in range(concurrency)))
    took = monotonic() - begin
    after = _executed(given)
    commands = None if before is None or after is None else after - before
    return Level(concurrency, given.size, took, latencies, failed, rate, commands)


def _executed(given: Given) -> int | None:
    [reply] = given.client.batch([("INFO", "stats")])
    if not isinstance(reply, bytes):
        return None
    for line in reply.decode("utf-8", "replace").splitlines():
        if line.startswith("total_commands_processed:"):
            return int(line.partition(":")[2])
    return None


def _show(given: Given, levels: list[Level]) -> None:
    heads = ["at once", "requests/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "longest", "failed", "commands"]
    rows = [heads]
    for level in levels:
        r = level.record()
        commands = "-" if r["commands"] is None else f"{r['commands']:.1f}"
        cells = [
            r["concurrency"],
            f"{r['rate']:.0f}",
            *(f"{r[name]:.2f}" for name in ("p50_ms", "p90_ms", "p99_ms", "p999_ms")),
        ]
        rows.append([str(each) for each in (*cells, f"{r['most_ms']:.2f}", r["failed"], commands)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    for line in table([[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]):
        given.out.line(line)
    if given.rate:
        given.out.say(f"at a fixed rate of {given.rate:g} requests/s; a latency counts from when its request was due")
