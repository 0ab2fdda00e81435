"""``send``, ``call``, ``ping``, ``check``, with members of the library and with gems."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from redisipc import Channel

from .conftest import Cli

Serve = Callable[..., Any]


@pytest.mark.parametrize(
    ("content", "shown"),
    [("7", "7"), ("text", "text"), ('"7"', "7"), ('{"a":[1,"é"]}', '{"a":[1,"é"]}'), ("", ""), ("null", "null")],
)
def test_an_answer_is_printed_strings_bare_all_else_as_json(cli: Cli, serve: Serve, content: str, shown: str) -> None:
    serve("stock")
    assert cli("send", "stock", content)[:2] == (0, f"{shown}\n")


def test_raw_shows_what_stands_in_redis(cli: Cli, serve: Serve) -> None:
    serve("stock")
    assert cli("send", "stock", '"7"', "--raw").out == '"7"\n'


def test_content_comes_from_a_file_or_from_stdin(
    cli: Cli, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("stock")
    file = tmp_path / "order.json"
    file.write_text('{"sku":1}\n')
    assert cli("send", "stock", f"@{file}").out == '{"sku":1}\n'
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[1]\n")))
    assert cli("send", "stock", "-").out == "[1]\n"


def test_a_call_is_a_channels_request_with_the_time_that_is_left(cli: Cli, serve: Serve) -> None:
    serve("stock")
    [record] = cli("call", "stock", "reserve", "sku=1", "note=as soon", "--json", "--timeout", "2.5s").of("send")
    assert (record["event"], record["status"]) == ("reserve", "fulfilled")
    params = {"sku": 1, "note": "as soon"}
    assert record["content"] == {"event": "reserve", "params": params, "meta": {"timeout_ms": 2500}}


def test_many_requests_are_counted_and_the_worst_decides(cli: Cli, gem: Callable[..., Any]) -> None:
    answers = iter([b"1", b"2", b"3"])
    gem("stock", answer=lambda text: next(answers))
    ran = cli("send", "stock", "1", "--count", "3", "--rate", "100")
    assert ran[:2] == (0, "1\n2\n3\n")
    assert "3 requests: 3 fulfilled, in " in ran.err


def test_some_fulfilled_and_some_rejected_says_how_to_find_the_member(cli: Cli, serve: Serve) -> None:
    turns = iter([1, 2])
    serve("stock", lambda request: request.reject("no") if next(turns) == 1 else request.fulfill(1))
    ran = cli("send", "stock", "1", "--count", "2")
    assert ran.status == 1
    assert "1 rejected, 1 fulfilled" in ran.err
    assert "perhaps a member of the group lacks what another one has" in ran.err


def test_content_for_a_channel_is_answered_by_what_to_type(cli: Cli, url: str, stream: str) -> None:
    class Stock(Channel):
        group = "stock"

    Stock.stream = stream
    Stock.connect(url=url)
    try:
        ran = cli("send", "stock", "1", "--count", "2")
    finally:
        Stock.disconnect()
    assert ran.status == 1
    assert ran.err.count("stock is a channel: `redisipc call stock EVENT name=value` triggers an event of it") == 1


@pytest.mark.parametrize("kind", ["serve", "gem"])
def test_the_ending_is_told_whoever_is_there(cli: Cli, request: Any, kind: str) -> None:
    start = request.getfixturevalue(kind)
    start("stock")
    [record] = cli("send", "stock", '{"sku":1}', "--json").of("send")
    assert (record["status"], record["content"], record["event"]) == ("fulfilled", {"sku": 1}, None)


def test_a_gem_that_never_answers_holds_it(cli: Cli, gem: Callable[..., Any]) -> None:
    gem("stock", answer=None)
    ran = cli("send", "stock", "1", "--timeout", "400ms", "--json")
    [record] = ran.of("send")
    assert (ran.status, record["status"]) == (3, "timeout")
    assert record["diagnosis"]["code"] in ("held", "not_held")


def test_a_silent_instance_is_not_somebody_there(cli: Cli, gem: Callable[..., Any], raw: redis.Redis) -> None:
    quiet = gem("stock", serves=False)
    raw.expire(quiet.list, 60)
    [record] = cli("send", "stock", "1", "--timeout", "300ms", "--json").of("send")
    assert record["diagnosis"]["code"] == "no_live_instance"
    assert f"{quiet.id} is registered and gave no sign of life for 40 s" in record["diagnosis"]["text"]
    ran = cli("ping", "stock")
    assert ran.status == 4
    assert "silent" in ran.out


def test_without_a_stream_it_names_the_redis_that_it_asked(cli: Cli) -> None:
    ran = cli("send", "stock", "1")
    assert ran.status == 4
    assert "nobody ever connected to it here" in ran.err
    assert "REDIS_HOST" in ran.err


def test_nothing_is_left_behind(cli: Cli, serve: Serve, raw: redis.Redis, stream: str) -> None:
    serve("stock")
    keys = set(raw.scan_iter(f"{stream}*"))
    cli("send", "stock", "1")
    cli("send", "stok", "1")
    cli("ping", "stock")
    cli("check", "stock")
    assert raw.xlen(stream) == 0
    assert set(raw.scan_iter(f"{stream}*")) == keys
    assert len(raw.xinfo_groups(stream)) == 1


# ping


def test_ping_says_who_is_there_in_mixed_languages(cli: Cli, serve: Serve, gem: Callable[..., Any]) -> None:
    ours, theirs = serve("stock"), gem("stock")
    ran = cli("ping", "stock", "--json")
    assert ran.status == 0
    [record] = ran.of("ping")
    by_id = {each["instance"]: each for each in record["instances"]}
    assert by_id[ours.instance]["implementation"] == "redisipc"
    assert by_id[ours.instance]["host"]
    assert by_id[theirs.id]["implementation"] is None
    assert {each["state"] for each in by_id.values()} == {"alive"}
    text = cli("ping", "stock")
    assert "gem or other" in text.out
    assert text.err == "2 living instances in group stock\n"


def test_ping_does_not_count_who_only_asks(cli: Cli, serve: Serve) -> None:
    serve("web", None)
    ran = cli("ping", "web")
    assert ran.status == 4
    assert "asks only" in ran.out
    assert "none with a handler" in ran.err


def test_ping_waits_until_somebody_comes(cli: Cli, serve: Serve) -> None:
    serve("web", None)
    assert cli("ping", "stock", "--wait", "--timeout", "300ms").status == 4
    serve("stock")
    assert cli("ping", "stock", "--wait").status == 0


# check


def test_check_is_ok_where_somebody_lives_and_nothing_waits(cli: Cli, serve: Serve) -> None:
    serve("stock")
    [record] = cli("check", "stock", "--json", "--round-trip", "1").of("check")
    assert record["ok"] is True
    assert (record["alive"], record["waiting"], record["running"]) == (1, 0, 0)
    assert record["round_trip_ms"] > 0


@pytest.mark.parametrize(("form", "status"), [("text", 1), ("json", 1), ("prometheus", 1), ("nagios", 2)])
def test_check_fails_if_the_round_trip_is_rejected(cli: Cli, serve: Serve, form: str, status: int) -> None:
    serve("stock")
    probe = ("check", "stock", "--round-trip", '{"reject":"not ready"}', "--format", form)
    ran = cli(*probe)
    assert ran.status == status
    assert ("_ok{" if form == "prometheus" else "round trip: rejected, not ready") in ran.out
    assert cli(*probe, "--any-answer").status == 0


def test_check_says_why_the_round_trip_got_no_answer(cli: Cli, serve: Serve) -> None:
    serve("stock")
    ran = cli("check", "stock", "--round-trip", "ignore", "--any-answer", "--timeout", "300ms")
    assert ran.status == 3
    assert "round trip: timeout, no answer from group 'stock' within 0.3 s: " in ran.out


def test_check_sees_what_waits_too_long(cli: Cli, gem: Callable[..., Any], raw: redis.Redis, stream: str) -> None:
    held = gem("stock", answer=None)
    fields = {"id": "1", "instance_id": "a1b2c3", "status": "pending", "content": "1", "source_group": "web"}
    raw.xadd(stream, {**fields, "destination_group": "stock"}, id="1700000000000-0")
    while not raw.xpending(stream, "stock")["pending"]:
        pass
    ran = cli("check", "stock", "--oldest", "30s", "--json")
    [record] = ran.of("check")
    assert (ran.status, record["ok"], record["running"]) == (1, False, 1)
    assert "--oldest allows 30 s" in record["problems"][0]
    assert held.id


def test_check_counts_instances(cli: Cli, serve: Serve) -> None:
    serve("stock")
    assert cli("check", "stock", "--instances", "2").status == 1
    serve("stock")
    assert cli("check", "stock", "--instances", "2").status == 0


@pytest.mark.parametrize(("group", "status", "word"), [("stock", 0, "OK"), ("stok", 2, "CRITICAL")])
def test_check_speaks_nagios(cli: Cli, serve: Serve, group: str, status: int, word: str) -> None:
    serve("stock")
    ran = cli("check", group, "--format", "nagios")
    assert ran.status == status
    assert ran.out.startswith(f"REDISIPC {word} - {group}: ")
    assert " | alive=" in ran.out


def test_check_tells_nagios_that_redis_is_away(cli: Cli) -> None:
    ran = cli("check", "stock", "--format", "nagios", "--url", "redis://127.0.0.1:1")
    assert ran.status == 3
    assert ran.out.startswith("REDISIPC UNKNOWN - stock: cannot reach Redis")


def test_check_speaks_prometheus(cli: Cli, serve: Serve, stream: str) -> None:
    serve('st"ock')
    ran = cli("check", 'st"ock', "--format", "prometheus")
    assert ran.status == 0
    assert f'redisipc_group_instances_alive{{stream="{stream}",group="st\\"ock"}} 1\n' in ran.out
