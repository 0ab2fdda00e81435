"""``redisipc groups``: members in all languages, what waits and runs, what nobody will take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from redisipc.cli.look.sweep import ORPHANS

from .conftest import Cli

Serve = Callable[..., Any]
OLD = 1_700_000_000_000
FIELDS = {"id": "9f86d081884c7d659a2fe", "instance_id": "a1b2c3", "status": "pending", "content": "1"}


def put(raw: redis.Redis, stream: str, number: int, source: str, to: str, status: str = "pending") -> None:
    """An entry of 2023."""
    fields = {**FIELDS, "status": status, "source_group": source, "destination_group": to}
    raw.xadd(stream, fields, id=f"{OLD}-{number}")


def test_it_shows_members_of_all_languages(cli: Cli, serve: Serve, gem: Serve, raw: redis.Redis) -> None:
    ours, theirs = serve("stock"), gem("stock")
    quiet = gem("stock", serves=False)
    raw.expire(quiet.list, 50)
    serve("web", None)
    ran = cli("groups")
    assert ran.status == 0
    assert "2 groups, " in ran.out
    assert f"{ours.instance}  alive" in ran.out
    assert f"{theirs.id}  alive" in ran.out
    assert f"{quiet.id}  silent" in ran.out
    assert ran.out.count("gem or other") == 2
    assert "asks only" in ran.out
    records = cli("groups", "--json").of("groups")
    assert {each["group"]: each["alive"] for each in records} == {"stock": 2, "web": 0}


def test_it_counts_what_waits_and_runs(cli: Cli, gem: Serve, raw: redis.Redis, stream: str) -> None:
    gem("stock", serves=False)
    for number in range(3):
        put(raw, stream, number, "web", "stock")
    reader = next(iter(raw.xinfo_consumers(stream, "stock")))["name"]
    raw.xreadgroup("stock", reader, {stream: ">"}, count=1)
    [record] = cli("groups", "--json", "--group", "stock").of("groups")
    assert (record["waiting"], record["running"], record["pending"]) == (2, 1, 1)
    assert record["oldest_ms"] > 1e9


def test_it_counts_orphans_by_class(cli: Cli, gem: Serve, raw: redis.Redis, stream: str) -> None:
    gem("web", serves=False)
    put(raw, stream, 1, "web", "nobody")
    put(raw, stream, 2, "stock", "nobody", "fulfilled")
    put(raw, stream, 3, "stock", "web", "fulfilled")
    put(raw, stream, 4, "stock", "web")
    put(raw, stream, 5, "stock", "caller:a1b2c3", "fulfilled")
    raw.xadd(stream, {"a": "b"}, id=f"{OLD}-6")
    [(_, rows)] = raw.xreadgroup("web", "consumer_a1b2c3_0", {stream: ">"})
    raw.xack(stream, "web", *[id for id, _ in rows])
    ran = cli("groups")
    assert "6 orphans" in ran.out
    for text in ORPHANS.values():
        assert f"1 x {text}" in ran.out


def test_a_stream_that_nobody_made_is_nobody_there(cli: Cli) -> None:
    ran = cli("groups")
    assert ran.status == 4
    assert "nobody ever connected to it here" in ran.err


def test_again_and_again_it_shows_the_rate(cli: Cli, serve: Serve) -> None:
    serve("stock")
    records = cli("groups", "--every", "100ms", "--count", "2", "--json").of("groups")
    assert len(records) == 2
    assert records[0]["rate"] is None


def test_foreign_consumers_are_counted(cli: Cli, raw: redis.Redis, stream: str) -> None:
    raw.xgroup_create(stream, "stock", mkstream=True)
    raw.execute_command("XGROUP", "CREATECONSUMER", stream, "stock", "somebody")
    assert "and 1 consumer with a name that is not RedisIPC's" in cli("groups").out


@pytest.mark.parametrize("width", ["80", "200"])
def test_a_line_fits_a_terminal(
    cli: Cli, serve: Serve, gem: Serve, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("stock-" + "x" * 60)
    gem("stock-" + "x" * 60)
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setattr("redisipc.cli.output.Output.width", int(width))
    lines = cli("groups").out.splitlines()
    assert max(len(line) for line in lines if line.startswith("  ")) <= int(width)
