"""``redisipc serve`` and ``bench``: partners that behave, and misbehave on request."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from redisipc import Caller, Rejected
from redisipc.cli.bench.figures import Level, percentile

from .conftest import Cli, Ran

Start = Callable[..., "subprocess.Popen[str]"]
SERVE = [sys.executable, "-m", "redisipc", "serve"]


@pytest.fixture
def serving(url: str, stream: str) -> Iterator[Start]:
    """A partner as a process that is there."""
    made: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        line = [*SERVE, "stock", "--url", url, "--stream", stream, *words]
        made.append(subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        assert made[-1].stderr is not None
        assert made[-1].stderr.readline().startswith("serving stock as ")
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()


@pytest.fixture
def caller(url: str, stream: str) -> Iterator[Caller]:
    with Caller(stream, url=url) as caller:
        yield caller


def test_it_echoes_and_leaves_in_order(serving: Start, caller: Caller, raw: redis.Redis, stream: str) -> None:
    process = serving("--json")
    assert caller.request({"sku": 1}, to="stock") == {"sku": 1}
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    [record] = Ran(0, out, "").of("serve")
    assert (record["content"], record["action"]) == ({"sku": 1}, "fulfilled")
    assert raw.xinfo_consumers(stream, "stock") == []


def test_ctrl_c_is_an_interruption_and_leaves_in_order(serving: Start, raw: redis.Redis, stream: str) -> None:
    process = serving()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert raw.xinfo_consumers(stream, "stock") == []


def test_a_fixed_reply_and_a_count(serving: Start, caller: Caller) -> None:
    process = serving("--reply", "[1]", "--count", "1")
    assert caller.request(None, to="stock") == [1]
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert " null => fulfilled  " in out


def test_a_command_answers(serving: Start, caller: Caller) -> None:
    text = "import sys, json; n = json.load(sys.stdin); sys.exit('odd') if n % 2 else print(n * 2)"
    serving("--command", f'{sys.executable} -c "{text}"', "--timeout", "20s")
    assert caller.request(4, to="stock", timeout=20) == 8
    with pytest.raises(Rejected, match="odd"):
        caller.request(3, to="stock", timeout=20)


def test_it_rejects_on_request(serving: Start, caller: Caller) -> None:
    serving("--reject-rate", "100%")
    with pytest.raises(Rejected, match="rejected by --reject-rate"):
        caller.request(1, to="stock")


def test_it_dies_while_it_runs_a_request(serving: Start, caller: Caller, raw: redis.Redis, stream: str) -> None:
    process = serving("--die-after", "2")
    assert caller.request(1, to="stock") == 1
    assert caller.send_to_group(2, to="stock", timeout=0.5).rejected
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    # Nobody tidied up behind it.
    assert len(raw.xinfo_consumers(stream, "stock")) == 2


def test_it_needs_redis(cli: Cli) -> None:
    ran = cli("serve", "stock", "--url", "redis://127.0.0.1:1", "--timeout", "100ms")
    assert ran.status == 5


@pytest.mark.parametrize("words", [("--command", "'"), ("--reject-rate", "2"), ("--echo", "--reply", "1")])
def test_wrong_words(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli("serve", "stock", *words).status == 2


# bench


def test_bench_with_an_echo_of_its_own_leaves_nothing(cli: Cli, raw: redis.Redis) -> None:
    ran = cli("bench", "-c", "1,4", "-d", "200ms", "--json")
    assert ran.status == 0
    one, four = ran.of("bench")
    assert (one["concurrency"], four["concurrency"]) == (1, 4)
    assert one["requests"] > 0
    assert one["p50_ms"] <= one["p99_ms"] <= one["most_ms"]
    assert one["commands"] > 4
    assert not list(raw.scan_iter("{redisipc-bench-*"))


def test_bench_at_a_rate_between_groups(cli: Cli, serve: Callable[..., Any], raw: redis.Redis, stream: str) -> None:
    serve("stock")
    ran = cli("bench", "--between", "stock", "-c", "4", "-d", "300ms", "--rate", "50")
    assert ran.status == 0
    assert ran.out.splitlines()[0].split()[:2] == ["at", "once"]
    assert "at a fixed rate of 50 requests/s" in ran.err
    assert [group["name"] for group in raw.xinfo_groups(stream)] == [b"stock"]


def test_bench_needs_somebody(cli: Cli, serve: Callable[..., Any]) -> None:
    serve("stock")
    assert cli("bench", "--between", "stok").status == 4


def test_percentiles() -> None:
    ordered = [each / 1000 for each in range(1, 1001)]
    assert [percentile(ordered, share) for share in (0.5, 0.9, 0.99, 0.999)] == [0.5, 0.9, 0.99, 0.999]
    assert percentile([], 0.5) == 0.0
    record = Level(1, 16, 2.0, ordered, 0, None, 8000).record()
    assert (record["rate"], record["p99_ms"], record["commands"]) == (500.0, 990.0, 8.0)
