"""Each finding of ``redisipc doctor``: the fault is made, found, repaired by the printed command if there is one, and gone."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
import redis

from redisipc import Caller, Rejected, Stream
from redisipc.cli.doctor.command import CHECKS, _redis_cli
from redisipc.cli.look import sweep
from redisipc.cli.redis.address import address_of
from redisipc.cli.redis.client import Client
from redisipc.testing import Hub
from redisipc.testing.redis_model import REDIS_7, Profile

from ..support_server import Server
from .conftest import Cli, Ran
from .gem import Gem

Serve = Callable[..., Any]
OLD = 1_700_000_000_000
FIELDS = {"id": "9f86d081884c7d659a2fe", "instance_id": "a1b2c3", "status": "pending", "content": "1"}
ALWAYS = {"not-persistent", "stream-elsewhere"}
"""Depend on the server that is there and on the one of the default address."""


@pytest.fixture(autouse=True)
def _no_other_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens where a gem would look."""
    monkeypatch.setenv("REDIS_HOST", "127.0.0.1")
    monkeypatch.setenv("REDIS_PORT", "1")


class Doctor(NamedTuple):
    """Runs doctor, and what it printed."""

    cli: Cli
    raw: redis.Redis

    def codes(self, *words: str) -> dict[str, dict[str, Any]]:
        ran = self.cli("doctor", "--json", *words)
        found = {record["code"]: record for record in ran.of("doctor")}
        assert ran.status == (1 if {each["severity"] for each in found.values()} - {"note"} else 0)
        return found

    def find(self, code: str, *words: str) -> dict[str, Any]:
        found = self.codes(*words)
        assert code in found
        return found[code]

    def mend(self, finding: dict[str, Any]) -> None:
        assert finding["commands"]
        client = Client(None)
        for command in finding["commands"]:
            client.ask(*shlex.split(command))
        client.close()

    def is_mended(self, code: str, *words: str) -> None:
        self.mend(self.find(code, *words))
        assert code not in self.codes(*words)


@pytest.fixture
def doctor(cli: Cli, raw: redis.Redis) -> Doctor:
    return Doctor(cli, raw)


def put(raw: redis.Redis, stream: str, source: str, to: str, status: str = "pending", id: str = f"{OLD}-1") -> str:
    """An entry, of 2023 unless its id says else."""
    fields = {**FIELDS, "status": status, "source_group": source, "destination_group": to}
    name: bytes = raw.xadd(stream, fields, id=id)
    return name.decode()


def take(raw: redis.Redis, stream: str, group: str, consumer: str = "dispatcher_d4e5f6_0") -> None:
    """All entries to one consumer's pending list."""
    raw.xreadgroup(group, consumer, {stream: ">"})


# a stream where nothing is wrong


@pytest.mark.parametrize("kind", ["serve", "gem"])
def test_where_nothing_is_wrong_nothing_is_found(doctor: Doctor, request: Any, kind: str) -> None:
    start = request.getfixturevalue(kind)
    start("stock")
    start("web")
    assert set(doctor.codes()) - ALWAYS <= {"stream-expires"}


def test_text_has_what_was_seen_why_and_the_command(cli: Cli, serve: Serve, raw: redis.Redis, stream: str) -> None:
    serve("stock")
    raw.expire(stream, 3600)
    ran = cli("doctor")
    assert ran.status == 1
    assert "PROBLEM stream-expires\n  seen  the stream expires in 60 min\n  why   Then all requests" in ran.out
    assert f" PERSIST {stream}\n" in ran.out
    assert f"{len(CHECKS)} checks of {stream} at " in ran.err


@pytest.mark.parametrize("width", [80, 200])
def test_text_fits_a_terminal(
    cli: Cli, gem: Serve, raw: redis.Redis, stream: str, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    quiet = gem("stock", serves=False)
    raw.expire(quiet.list, 50)
    monkeypatch.setattr("redisipc.cli.output.Output.width", width)
    lines = [line for line in cli("doctor").out.splitlines() if "$ redis-cli" not in line]
    assert 60 < max(map(len, lines)) <= min(width, 110)


# place


def test_no_stream(doctor: Doctor, serve: Serve, stream: str) -> None:
    serve("stock")
    finding = doctor.find("no-stream", "--stream", f"{stream}s")
    assert f"Did you mean '{stream}'?" in finding["why"]


def test_the_stream_is_in_another_database(doctor: Doctor, serve: Serve, url: str, stream: str) -> None:
    serve("stock")
    other = urlsplit(url)._replace(path="/9").geturl()
    with redis.Redis.from_url(other) as client:
        client.xgroup_create(stream, "web", mkstream=True)
        finding = doctor.find("stream-elsewhere")
        assert "database 9 of this server: 'web', 0 living; here: 'stock'" in finding["seen"]
        [command] = finding["commands"]
        words = shlex.split(command)
        client.execute_command(*words[words.index("-n") + 2 :])
        assert "stream-elsewhere" not in doctor.codes()


def test_a_gem_on_the_redis_of_redis_host(
    doctor: Doctor, serve: Serve, server: Server, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve("web")
    monkeypatch.setenv("REDIS_PORT", str(server.port))
    with redis.Redis.from_url(server.url) as client:
        elsewhere = Gem(client, stream, "stock")
        try:
            finding = doctor.find("stream-elsewhere")
            assert finding["severity"] == "problem"
            assert (
                f"127.0.0.1:{server.port} (REDIS_HOST and REDIS_PORT): 'stock', 1 living; here: 'web'"
                in finding["seen"]
            )
            assert finding["commands"] == []
        finally:
            elsewhere.stop()
        client.delete(stream)
    assert "stream-elsewhere" not in doctor.codes()


def test_a_stream_that_expires(doctor: Doctor, serve: Serve, raw: redis.Redis, stream: str) -> None:
    serve("stock")
    raw.expire(stream, 3600)
    doctor.is_mended("stream-expires")


def test_a_gems_expiry_is_a_note(doctor: Doctor, gem: Serve) -> None:
    gem("stock", serves=False)
    finding = doctor.find("stream-expires")
    assert finding["severity"] == "note"
    assert "19 years" in finding["seen"]
    doctor.mend(finding)
    assert "stream-expires" not in doctor.codes()


# server


@pytest.fixture
def own(
    server: Server, capsys: pytest.CaptureFixture[str], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Doctor]:
    """A server of its own, with a stream and one member."""
    monkeypatch.setenv("REDIS_URL", server.url)
    monkeypatch.setenv("REDISIPC_STREAM", "shop")
    with Stream("shop", "stock", url=server.url) as stock, redis.Redis.from_url(server.url) as raw:
        stock.on_request(lambda request: request.content)
        yield Doctor(cli, raw)


@pytest.mark.parametrize(("policy", "severity"), [("allkeys-lru", "problem"), ("volatile-lru", "warning")])
def test_a_policy_that_evicts(own: Doctor, policy: str, severity: str) -> None:
    own.raw.config_set("maxmemory", "1gb")
    own.raw.config_set("maxmemory-policy", policy)
    assert own.find("eviction")["severity"] == severity
    own.is_mended("eviction")


def test_memory_that_is_nearly_full(own: Doctor) -> None:
    own.raw.config_set("maxmemory", int(own.raw.info("memory")["used_memory"] * 1.02))
    own.is_mended("memory-full")


def test_no_persistence_is_a_note(own: Doctor) -> None:
    assert own.find("not-persistent")["severity"] == "note"
    own.is_mended("not-persistent")
    # Until its first AOF is written, Redis does not end on SIGTERM.
    until = time.monotonic() + 20
    while own.raw.info("persistence")["aof_rewrite_in_progress"] and time.monotonic() < until:
        time.sleep(0.02)
    own.raw.config_set("appendonly", "no")


def test_a_disk_that_cannot_be_written(own: Doctor, server: Server) -> None:
    in_the_way = Path(server.directory, "dump.rdb")
    in_the_way.mkdir()
    own.raw.bgsave()
    saved(own.raw, "err")
    finding = own.find("cannot-save")
    in_the_way.rmdir()
    own.mend(finding)
    saved(own.raw, "ok")
    assert "cannot-save" not in own.codes()


def saved(raw: redis.Redis, status: str) -> None:
    """Until the last snapshot ended so."""
    until = time.monotonic() + 10
    while raw.info("persistence")["rdb_last_bgsave_status"] != status:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_replica(own: Doctor) -> None:
    own.raw.execute_command("REPLICAOF", "127.0.0.1", "1")
    own.is_mended("replica")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Hub]]:
    """A double of Redis that listens, with a member; for versions and clocks that no server here has."""
    monkeypatch.setenv("REDISIPC_STREAM", "shop")
    with contextlib.ExitStack() as stack:

        def start(profile: Profile = REDIS_7) -> Hub:
            made = stack.enter_context(Hub(profile=profile))
            monkeypatch.setenv("REDIS_URL", made.listen())
            stack.enter_context(Stream("shop", "stock", client=made)).on_request(lambda request: request.content)
            return made

        yield start


def test_an_old_server(doctor: Doctor, hub: Callable[..., Hub]) -> None:
    hub(REDIS_7._replace(version="6.0.16"))
    assert doctor.find("old-server")["seen"] == "Redis 6.0.16"
    hub()
    assert "old-server" not in doctor.codes()


def test_a_clock_that_differs(doctor: Doctor, hub: Callable[..., Hub]) -> None:
    hub().age(3)
    assert "ahead of this machine's" in doctor.find("clock")["seen"]
    hub()
    assert "clock" not in doctor.codes()


def test_a_cluster_without_a_hash_tag(
    server: Server, capsys: pytest.CaptureFixture[str], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.kill()
    server.options = ("--cluster-enabled", "yes")
    server.start()
    with redis.Redis.from_url(server.url) as raw:
        slots = range(16384)
        raw.execute_command("CLUSTER", "ADDSLOTS", *slots)
        until = time.monotonic() + 15
        while "cluster_state:ok" not in str(raw.execute_command("CLUSTER", "INFO")):
            assert time.monotonic() < until
            time.sleep(0.02)
        monkeypatch.setenv("REDIS_URL", server.url)
        own = Doctor(cli, raw)
        for name in ("shop", "{shop}"):
            raw.execute_command("XGROUP", "CREATE", name, "stock", "$", "MKSTREAM")
        assert "'{shop}'" in own.find("no-hash-tag", "--stream", "shop")["mend"]
        assert "no-hash-tag" not in own.codes("--stream", "{shop}")


def test_rights_that_are_missing(doctor: Doctor, serve: Serve, raw: redis.Redis, url: str, stream: str) -> None:
    serve("stock")
    user = f"u{stream}"
    raw.execute_command("ACL", "SETUSER", user, "on", ">secret", f"~{stream}", f"~{stream}:*", "&*", "+@all", "-xclaim")
    try:
        words = ("--url", f"redis://{user}:secret@{url.partition('://')[2]}")
        assert "may not: XCLAIM" in doctor.find("rights", *words)["seen"]
        doctor.is_mended("rights", *words)
    finally:
        raw.execute_command("ACL", "DELUSER", user)


# members


def test_a_group_ahead_of_the_stream(doctor: Doctor, gem: Serve, raw: redis.Redis, stream: str) -> None:
    gem("stock", serves=False)
    raw.execute_command("XGROUP", "SETID", stream, "stock", "99999999999999-0")
    doctor.is_mended("group-ahead")


def test_a_group_without_anybody(doctor: Doctor, raw: redis.Redis, stream: str) -> None:
    raw.xgroup_create(stream, "stock", mkstream=True)
    assert doctor.find("nobody-alive")["severity"] == "warning"
    put(raw, stream, "web", "stock")
    finding = doctor.find("nobody-alive")
    assert (finding["severity"], finding["group"]) == ("problem", "stock")
    assert "1 request for it" in finding["seen"]
    doctor.is_mended("nobody-alive")


def test_a_silent_instance(doctor: Doctor, gem: Serve, raw: redis.Redis) -> None:
    quiet = gem("stock", serves=False)
    raw.expire(quiet.list, 60)
    finding = doctor.find("silent-instance")
    assert (finding["group"], finding["instance"]) == ("stock", quiet.id)
    assert re.search("gave no sign of life for 4[0-9] s", finding["seen"])
    doctor.is_mended("silent-instance")


def test_a_silent_instance_whose_connections_stand_is_paused(
    doctor: Doctor, serve: Serve, raw: redis.Redis, stream: str
) -> None:
    ours = serve("stock")
    raw.expire(f"{stream}:stock:{ours.instance}:consumers", 70)
    assert "are open: the process is paused" in doctor.find("silent-instance")["seen"]


def test_a_dead_instance_that_holds_entries(
    doctor: Doctor, serve: Serve, raw: redis.Redis, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redisipc.cli.look.instances.UNUSED", 0.02)
    raw.xgroup_create(stream, "stock", mkstream=True)
    id = put(raw, stream, "web", "stock", id="*")
    take(raw, stream, "stock")
    time.sleep(0.05)
    finding = doctor.find("dead-holds-pending", "--group", "stock")
    assert finding["instance"] == "d4e5f6"
    doctor.mend(finding)
    # Given back, a living member takes it.
    serve("stock")
    until = time.monotonic() + 15
    while raw.xrange(stream, id, id):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert "dead-holds-pending" not in doctor.codes()


def test_dead_consumers(
    doctor: Doctor, raw: redis.Redis, gem: Serve, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redisipc.cli.look.instances.UNUSED", 0.02)
    monkeypatch.setattr("redisipc.cli.doctor.members.DELETED_AFTER", 0.02)
    left = gem("stock", serves=False)
    raw.delete(left.list)
    time.sleep(0.05)
    assert doctor.find("dead-consumers")["severity"] == "note"
    doctor.is_mended("dead-consumers")


def test_a_terminal_shows_five_of_many_commands(
    cli: Cli, raw: redis.Redis, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redisipc.cli.look.instances.UNUSED", 0.02)
    monkeypatch.setattr("redisipc.cli.doctor.members.DELETED_AFTER", 0.02)
    raw.xgroup_create(stream, "stock", mkstream=True)
    for number in range(30):
        raw.xgroup_createconsumer(stream, "stock", f"consumer_a1b2c3_{number}")
    time.sleep(0.05)
    printed = cli("doctor").out
    assert printed.count(" DELCONSUMER ") == 5
    assert "... 25 more commands like these: --json lists all of them" in printed


@pytest.mark.parametrize("consumers", [True, False])
def test_a_list_that_names_a_consumer_which_the_group_lacks(
    doctor: Doctor, gem: Serve, raw: redis.Redis, consumers: bool
) -> None:
    each = gem("stock", serves=False)
    if consumers:
        raw.lpush(each.list, f"consumer_{each.id}_7")
    else:
        for name in raw.xinfo_consumers(each.stream, "stock"):
            raw.xgroup_delconsumer(each.stream, "stock", name["name"])
        raw.lrem(each.list, 1, f"consumer_{each.id}_1")
    doctor.is_mended("registered-without-consumer")


def test_an_instance_that_reads_and_is_not_registered(doctor: Doctor, gem: Serve, raw: redis.Redis) -> None:
    each = gem("stock", serves=False)
    raw.delete(each.list)
    assert doctor.find("unregistered")["instance"] == each.id
    raw.lpush(each.list, f"consumer_{each.id}_0")
    each.refresh()
    assert "unregistered" not in doctor.codes()


def test_a_dead_instance_whose_entries_were_given_back_is_not_taken_for_one_that_reads(
    doctor: Doctor, raw: redis.Redis, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redisipc.cli.look.instances.UNUSED", 0.5)
    raw.xgroup_create(stream, "stock", mkstream=True)
    raw.xgroup_createconsumer(stream, "stock", "consumer_d4e5f6_0")
    put(raw, stream, "web", "stock", id="*")
    take(raw, stream, "stock")
    time.sleep(0.6)
    doctor.mend(doctor.find("dead-holds-pending"))
    assert "unregistered" not in doctor.codes()


def test_a_group_whose_members_have_no_handler(doctor: Doctor, serve: Serve, raw: redis.Redis, stream: str) -> None:
    serve("stock", None)
    raw.execute_command("XGROUP", "SETID", stream, "stock", "99999999999999-0")
    put(raw, stream, "web", "stock", id="*")
    finding = doctor.find("no-handler")
    assert finding["group"] == "stock"
    raw.execute_command("XTRIM", stream, "MAXLEN", "0")
    assert "no-handler" not in doctor.codes()


def test_where_all_only_ask_nobody_answers(doctor: Doctor, serve: Serve, stream: str) -> None:
    serve("web", None)
    finding = doctor.find("nobody-answers")
    assert "all who live here only ask: 'web'" in finding["seen"]
    assert "REDIS_HOST=... REDIS_PORT=... redisipc doctor" in finding["mend"]
    serve("stock")
    assert "nobody-answers" not in doctor.codes()


def test_two_that_read_under_one_name(doctor: Doctor, serve: Serve, url: str, stream: str) -> None:
    serve("stock")
    name = f"redisipc:{stream}:stock:abcdef:read"
    with redis.Redis.from_url(url, client_name=name) as one, redis.Redis.from_url(url, client_name=name) as other:
        one.ping()
        other.ping()
        finding = doctor.find("shared-instance-id")
        assert (finding["group"], finding["instance"]) == ("stock", "abcdef")
        assert len(re.findall(r"\d+\.\d+:\d+", finding["seen"])) == 2
    assert "shared-instance-id" not in doctor.codes()


def test_a_foreign_consumer(doctor: Doctor, gem: Serve, raw: redis.Redis, stream: str) -> None:
    gem("stock", serves=False)
    put(raw, stream, "web", "stock", id="*")
    take(raw, stream, "stock", "somebody")
    assert doctor.find("foreign-consumer")["severity"] == "warning"
    doctor.is_mended("foreign-consumer")


# entries


def test_malformed_entries(doctor: Doctor, gem: Serve, raw: redis.Redis, stream: str) -> None:
    gem("stock", serves=False)
    fields = {**FIELDS, "source_group": "web", "destination_group": "stock"}
    raw.xadd(stream, {**fields, "trace": "1"}, id=f"{OLD}-1")
    raw.execute_command("XGROUP", "SETID", stream, "stock", "0")
    take(raw, stream, "stock")
    finding = doctor.find("malformed")
    assert (finding["severity"], len(finding["commands"])) == ("problem", 2)
    assert "unknown field trace" in finding["seen"]
    doctor.is_mended("malformed")
    assert "bodiless-pending" not in doctor.codes()


@pytest.mark.parametrize(
    ("kind", "to", "status", "read"),
    [
        ("request-without-group", "nobody", "pending", False),
        ("request-left", "stock", "pending", True),
        ("response-without-group", "nobody", "fulfilled", False),
        ("response-left", "stock", "rejected", True),
        ("response-to-caller", "caller:a1b2c3", "fulfilled", False),
    ],
)
def test_orphans(
    doctor: Doctor, gem: Serve, raw: redis.Redis, stream: str, kind: str, to: str, status: str, read: bool
) -> None:
    gem("stock", serves=False)
    put(raw, stream, "web", to, status, id=f"{OLD}-1")
    if read:
        raw.execute_command("XGROUP", "SETID", stream, "stock", f"{OLD}-1")
    doctor.is_mended(f"orphan-{kind}")


@pytest.mark.parametrize("held", [True, False])
def test_old_requests(doctor: Doctor, gem: Serve, raw: redis.Redis, stream: str, held: bool) -> None:
    gem("stock", serves=False)
    put(raw, stream, "web", "stock", id=f"{OLD}-1")
    raw.execute_command("XGROUP", "SETID", stream, "stock", "0")
    if held:
        take(raw, stream, "stock")
    finding = doctor.find("old-request")
    assert ("is held" if held else "waits") in finding["seen"]
    doctor.is_mended("old-request")


def test_many_deliveries(doctor: Doctor, gem: Serve, raw: redis.Redis, stream: str) -> None:
    gem("stock", serves=False)
    id = put(raw, stream, "web", "stock", id="*")
    take(raw, stream, "stock")
    raw.xclaim(stream, "stock", "dispatcher_d4e5f6_0", 0, [id], retrycount=6, justid=True)
    finding = doctor.find("many-deliveries")
    assert "was started 1 time before; held by dispatcher_d4e5f6_0" in finding["seen"]
    doctor.is_mended("many-deliveries")


def test_pending_entries_without_a_body(doctor: Doctor, gem: Serve, raw: redis.Redis, stream: str) -> None:
    gem("stock", serves=False)
    id = put(raw, stream, "web", "stock", id="*")
    take(raw, stream, "stock")
    raw.xdel(stream, id)
    doctor.is_mended("bodiless-pending")


@pytest.mark.parametrize("then", ["held", "acknowledged"])
def test_what_comes_and_is_answered_meanwhile_is_not_without_a_body(
    doctor: Doctor, gem: Serve, raw: redis.Redis, stream: str, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    gem("stock", serves=False)
    real = sweep._read

    def read(*given: Any) -> Any:
        rows = real(*given)
        came.append(put(raw, stream, "web", "stock", id="*"))
        take(raw, stream, "stock")
        if then == "acknowledged":
            raw.xdel(stream, came[-1])
        return rows

    came: list[str] = []
    monkeypatch.setattr(sweep, "_read", read)
    monkeypatch.setattr(sweep.time, "sleep", lambda seconds: raw.xack(stream, "stock", *came))
    assert "bodiless-pending" not in doctor.codes()
    assert came


# traffic


def watching(cli: Cli, url: str, stream: str, ask: Callable[[Caller], Any]) -> Ran:
    """Doctor watches for half a second, and somebody asks all the time."""
    over = threading.Event()

    def act() -> None:
        with Caller(stream, url=url) as caller:
            while not over.is_set():
                try:
                    ask(caller)
                except Rejected:
                    pass

    thread = threading.Thread(target=act)
    thread.start()
    try:
        return cli("doctor", "--for", "500ms", "--json")
    finally:
        over.set()
        thread.join()


def test_a_member_that_lacks_an_event(
    cli: Cli, serve: Serve, gem: Serve, url: str, stream: str, raw: redis.Redis
) -> None:
    serve("stock")
    refusal = b"Unsupported event. Given reserve"

    def lacks(request: Any) -> None:
        request.reject(refusal.decode())

    without = serve("stock", lacks)
    content = {"event": "reserve", "params": {}}
    ran = watching(cli, url, stream, lambda caller: caller.request(content, to="stock"))
    found = {each["code"]: each for each in ran.of("doctor")}
    assert found["event-refused-by-some"]["instance"] == without.instance
    assert f"as unsupported by {without.instance}" in found["event-refused-by-some"]["seen"]
    without.disconnect()
    ran = watching(cli, url, stream, lambda caller: caller.request(content, to="stock"))
    assert "event-refused-by-some" not in {json.loads(line)["code"] for line in ran.out.splitlines()}


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("invalid_params: count is missing", "params-refused-by-some"),
        ("handler_failed: OSError", "handler-fails-in-some"),
    ],
)
def test_a_member_of_another_version(
    cli: Cli, serve: Serve, url: str, stream: str, raw: redis.Redis, reason: str, code: str
) -> None:
    sound = serve("stock")
    other = serve("stock", lambda request: request.reject(reason))
    content = {"event": "reserve", "params": {}}
    ran = watching(cli, url, stream, lambda caller: caller.request(content, to="stock"))
    found = {each["code"]: each for each in ran.of("doctor")}
    assert found[code]["instance"] == other.instance
    assert f" by {other.instance}, and run " in found[code]["seen"]
    assert found[code]["seen"].endswith(f" by {sound.instance}")
    sound.disconnect()
    ran = watching(cli, url, stream, lambda caller: caller.request(content, to="stock"))
    # All that are there refuse it: the request is wrong, or the handler, and no member differs.
    assert code not in {each["code"] for each in ran.of("doctor")}


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("Unsupported event. Given reserve", "event-unsupported"),
        ("no_handler: nobody", "member-without-handler"),
        ("overloaded: 1000 wait", "overloaded"),
        ("given_up: started 3 times", "given-up"),
    ],
)
def test_what_endpoints_reject_by_themselves(
    cli: Cli, serve: Serve, url: str, stream: str, raw: redis.Redis, reason: str, code: str
) -> None:
    serve("stock", lambda request: request.reject(reason))
    content = {"event": "reserve", "params": {}}
    ran = watching(cli, url, stream, lambda caller: caller.request(content, to="stock"))
    assert code in {each["code"] for each in ran.of("doctor")}


def test_the_commands_for_redis_cli_have_the_certificates_and_ask_for_the_password() -> None:
    address = address_of("rediss://anna:secret@h:7?ssl_ca_certs=/dev/null&ssl_certfile=/dev/null")[0]
    given: Any = SimpleNamespace(client=SimpleNamespace(address=address))
    words = "redis-cli -h h -p 7 -n 0 --tls --cacert /dev/null --cert /dev/null --user anna --askpass"
    assert _redis_cli(given) == words
