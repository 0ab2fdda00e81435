"""``redisipc watch`` on a stream with traffic."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from redisipc import Caller, RedisIPCError
from redisipc.cli.redis import link
from redisipc.cli.watch.monitor import Monitor, Seen

from .conftest import Cli

Serve = Callable[..., Any]


@pytest.fixture(autouse=True)
def _name(stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers of this test have a name of their own: those of other tests may wait on the same server."""
    monkeypatch.setattr(link, "NAME", f"{link.NAME}:{stream}")


def until_somebody_waits(raw: redis.Redis, command: str) -> None:
    """Returns when a command line waits in ``command``: it sees what comes now, however soon that is deleted."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        rows: Any = raw.client_list()
        mine = [row for row in rows if row["cmd"] == command and row["name"] == link.NAME]
        if any(command == "monitor" or "b" in row["flags"] for row in mine):
            return
        time.sleep(0.01)


@pytest.fixture
def later(url: str, stream: str, raw: redis.Redis) -> Iterator[Callable[..., None]]:
    """Do something once a watcher is there: it reads, or it monitors."""
    threads = []

    def start(act: Callable[[Caller], Any], monitors: bool = False) -> None:
        def wait_and_act() -> None:
            until_somebody_waits(raw, "monitor" if monitors else "xread")
            with Caller(stream, url=url) as caller:
                try:
                    act(caller)
                except RedisIPCError:
                    pass

        threads.append(threading.Thread(target=wait_and_act))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()


def test_it_pairs_request_and_answer(cli: Cli, serve: Serve, later: Serve, raw: redis.Redis) -> None:
    serve("stock", lambda request: until_somebody_waits(raw, "xread") or 7)
    later(lambda caller: caller.request({"event": "reserve", "params": {"sku": 1}}, to="stock"))
    ran = cli("watch", "--count", "1", "--for", "20s")
    assert ran.status == 0
    assert 'caller -> stock reserve {"sku":1} => 7  ' in ran.out
    assert "2 entries" in ran.err


def test_it_pairs_what_gems_write(cli: Cli, gem: Serve, later: Serve, raw: redis.Redis) -> None:
    gem("stock", answer=lambda text: until_somebody_waits(raw, "xread") or b"7")
    later(lambda caller: caller.request({"sku": 1}, to="stock"))
    [record] = cli("watch", "--count", "1", "--for", "20s", "--json").of("watch")
    assert (record["kind"], record["request"], record["response"]) == ("exchange", {"sku": 1}, 7)


def test_exact_shows_who_answers(cli: Cli, serve: Serve, gem: Serve, later: Serve) -> None:
    ours = serve("stock")
    theirs = gem("child")

    def ask(caller: Caller) -> None:
        caller.request({"event": "reserve", "params": {}}, to="stock")
        caller.request(2, to="child")

    later(ask, monitors=True)
    records = cli("watch", "--exact", "--count", "2", "--for", "20s", "--json").of("watch")
    assert [each["by"] for each in records] == [ours.instance, theirs.id]
    assert records[0]["event"] == "reserve"


def test_filters_and_no_content(cli: Cli, serve: Serve, later: Serve) -> None:
    serve("stock")
    serve("web")

    def ask(caller: Caller) -> None:
        for to, event in (("web", "reserve"), ("stock", "other"), ("stock", "reserve")):
            caller.request({"event": event, "params": {"secret": 1}}, to=to)

    later(ask, monitors=True)
    words = ["--exact", "--group", "stock", "--event", "reserve", "--no-content", "--count", "1", "--for", "20s"]
    ran = cli("watch", *words)
    assert len(ran.out.splitlines()) == 1
    assert "stock reserve =>" in ran.out
    assert "secret" not in ran.out


def test_what_gets_no_answer_is_told(cli: Cli, serve: Serve, later: Serve) -> None:
    serve("stock")
    later(lambda caller: caller.request("later", to="stock", timeout=1.3))
    [record] = cli("watch", "--count", "1", "--for", "20s", "--json").of("watch")
    assert (record["kind"], record["marks"], record["status"]) == ("unanswered", ["unanswered"], None)


def test_malformed_entries_are_shown(cli: Cli, serve: Serve, later: Serve, raw: redis.Redis, stream: str) -> None:
    serve("stock")
    later(lambda _: raw.xadd(stream, {"a": "b"}))
    ran = cli("watch", "--count", "1", "--for", "20s")
    assert "malformed missing field id, instance_id, status" in ran.out


def test_it_counts_what_it_missed(cli: Cli, serve: Serve, later: Serve, raw: redis.Redis, stream: str) -> None:
    serve("stock")
    if "entries-added" not in {str(key) for key in raw.xinfo_stream(stream)}:
        pytest.skip("this Redis does not count entries")

    def vanish(_: Caller) -> None:
        # Each transaction is over before a reader can see what it added.
        for _ in range(5):
            raw.eval("redis.call('XDEL', KEYS[1], redis.call('XADD', KEYS[1], '*', 'a', 'b'))", 1, stream)

    later(vanish)
    ran = cli("watch", "--for", "2s", "--json")
    assert sum(each["missed"] for each in ran.of("watch") if each["kind"] == "missed") == 5
    assert "5 missed" in ran.err


def test_it_records(cli: Cli, serve: Serve, later: Serve, tmp_path: Path) -> None:
    serve("stock")
    later(lambda caller: caller.request(1, to="stock"), monitors=True)
    file = tmp_path / "record.jsonl"
    cli("watch", "--exact", "--count", "1", "--for", "20s", "--record", str(file))
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [dict(row["fields"])["status"] for row in rows] == ["pending", "fulfilled"]


def test_the_story_of_a_request(cli: Cli, serve: Serve, later: Serve) -> None:
    ours = serve("stock", lambda request: time.sleep(0.1) or 7)
    later(lambda caller: caller.request({"sku": 1}, to="stock"), monitors=True)
    ran = cli("watch", "--id", "next", "--group", "stock", "--for", "20s", "--json")
    assert ran.status == 0
    texts = [each["text"] for each in ran.of("watch")]
    assert [text.split(":")[0].split(" by ")[0] for text in texts] == ["stored", "read", "fulfilled", "collected"]
    assert texts[1] == f"read by {ours.instance}"
    assert "caller:" in texts[0]


def test_the_story_of_a_quick_request_says_who_answered(
    cli: Cli, serve: Serve, later: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MONITOR tells of the request at once, and of all else a moment after a look found the request gone."""
    held: list[tuple[float, Seen]] = []
    real = Monitor.read

    def late(monitor: Monitor, limit: float) -> Iterator[Seen]:
        for seen in real(monitor, limit):
            held.append((time.monotonic() + (0.0 if b"pending" in seen.words else 0.1), seen))
        while held and held[0][0] <= time.monotonic():
            yield held.pop(0)[1]

    monkeypatch.setattr(Monitor, "read", late)
    ours = serve("stock")
    later(lambda caller: caller.request(7, to="stock"), monitors=True)
    ran = cli("watch", "--id", "next", "--for", "20s", "--json")
    assert ran.status == 0
    texts = [each["text"] for each in ran.of("watch")]
    assert f"fulfilled by {ours.instance}: 7" in texts
    assert texts[-1].startswith("collected")


def test_the_story_of_a_request_that_was_given_up(cli: Cli, serve: Serve, later: Serve) -> None:
    serve("stock")
    later(lambda caller: caller.request("later", to="stock", timeout=0.5), monitors=True)
    ran = cli("watch", "--id", "next", "--for", "20s")
    assert ran.status == 3
    assert "given up: deleted by" in ran.out or "deleted, and no answer was seen" in ran.out


def test_the_story_of_a_request_that_lies_there(cli: Cli, gem: Serve, raw: redis.Redis, stream: str) -> None:
    gem("stock", serves=False)
    fields = {"id": "77", "instance_id": "a1b2c3", "status": "pending", "content": "1", "source_group": "web"}
    raw.xadd(stream, {**fields, "destination_group": "stock"})
    raw.xreadgroup("stock", "dispatcher_d4e5f6_0", {stream: ">"})
    ran = cli("watch", "--id", "77", "--for", "300ms")
    assert ran.status == 3
    assert "stored: web -> stock, id 77: 1" in ran.out
    assert "read by d4e5f6" in ran.out


def test_a_story_without_a_request_is_nobody_there(cli: Cli, serve: Serve) -> None:
    serve("stock")
    ran = cli("watch", "--id", "nothing", "--for", "100ms")
    assert ran.status == 4
    assert "the request nothing did not come" in ran.err


def test_a_stream_that_is_deleted_meanwhile(
    cli: Cli, serve: Serve, later: Serve, raw: redis.Redis, stream: str
) -> None:
    serve("stock")

    def delete(caller: Caller) -> None:
        raw.delete(stream)
        time.sleep(0.5)
        raw.xadd(stream, {"a": "b"}, id="1-1")

    later(delete)
    ran = cli("watch", "--for", "2s")
    assert ran.status == 0
    assert "malformed" in ran.out


def test_without_the_right_to_monitor_a_story_is_polled(
    cli: Cli, serve: Serve, raw: redis.Redis, url: str, stream: str
) -> None:
    ours = serve("stock", lambda request: time.sleep(0.3))
    user = f"u{stream}"
    raw.execute_command("ACL", "SETUSER", user, "on", ">secret", f"~{stream}", f"~{stream}:*", "+@all", "-monitor")

    def ask() -> None:
        with Caller(stream, url=url) as caller:
            caller.send_to_group(1, to="stock")

    timer = threading.Timer(0.3, ask)
    timer.start()
    try:
        place = f"redis://{user}:secret@{url.partition('://')[2]}"
        ran = cli("watch", "--id", "next", "--for", "10s", "--url", place)
        assert "MONITOR is refused" in ran.err
        assert f"read by {ours.instance}" in ran.out
    finally:
        timer.join()
        raw.execute_command("ACL", "DELUSER", user)


def test_without_the_right_to_monitor_it_says_so(
    cli: Cli, serve: Serve, raw: redis.Redis, url: str, stream: str
) -> None:
    serve("stock")
    user = f"u{stream}"
    raw.execute_command("ACL", "SETUSER", user, "on", ">secret", f"~{stream}", f"~{stream}:*", "+@all", "-monitor")
    try:
        ran = cli("watch", "--exact", "--for", "1s", "--url", f"redis://{user}:secret@{url.partition('://')[2]}")
        assert ran.status == 5
        assert "NOPERM" in ran.err
    finally:
        raw.execute_command("ACL", "DELUSER", user)
