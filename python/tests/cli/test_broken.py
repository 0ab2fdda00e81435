"""Every command against streams that are broken: it ends with a status of its table, and says what it met."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from .conftest import Cli

Break = Callable[[redis.Redis, str], object]
FIELDS = {"id": "a" * 21, "instance_id": "d4e5f6", "status": "pending", "content": "1", "source_group": "web"}
COMMANDS = (
    "groups",
    "ping stock",
    "check stock",
    "doctor",
    "watch --for 50ms",
    "watch --exact --for 50ms",
    "ping stok",
)


def entry(raw: redis.Redis, stream: str, **changed: str) -> None:
    raw.xadd(stream, {**FIELDS, "destination_group": "stock", **changed})


def registration(raw: redis.Redis, stream: str) -> None:
    raw.set(f"{stream}:stock:abcdef:consumers", "a string")
    raw.execute_command("XGROUP", "CREATECONSUMER", stream, "stock", "consumer_abcdef_0")


def announcement(text: str) -> Break:
    def write(raw: redis.Redis, stream: str) -> None:
        raw.lpush(f"{stream}:stock:abcdef:consumers", "consumer_abcdef_0")
        raw.execute_command("XGROUP", "CREATECONSUMER", stream, "stock", "consumer_abcdef_0")
        raw.set(f"{stream}:stock:abcdef:announce", text)

    return write


def an_announcement_of_another_type(raw: redis.Redis, stream: str) -> None:
    raw.lpush(f"{stream}:stock:abcdef:consumers", "consumer_abcdef_0")
    raw.execute_command("XGROUP", "CREATECONSUMER", stream, "stock", "consumer_abcdef_0")
    raw.hset(f"{stream}:stock:abcdef:announce", "a", "b")


def foreign(raw: redis.Redis, stream: str) -> None:
    raw.xadd(stream, {b"\xff\x00": b"\xfe", "": ""})
    raw.xadd(stream, {"event": "\x1b[31mred"})
    entry(raw, stream, trace="1")


def malformed(raw: redis.Redis, stream: str) -> None:
    entry(raw, stream, status="done")
    entry(raw, stream, source_group="")
    entry(raw, stream, content="{not json")
    raw.xadd(stream, {**FIELDS, "destination_group": b"\xff\xfe"})


def no_consumers(raw: redis.Redis, stream: str) -> None:
    for row in raw.xinfo_consumers(stream, "stock"):
        raw.xgroup_delconsumer(stream, "stock", row["name"])


def expired(raw: redis.Redis, stream: str) -> None:
    for key in raw.keys(f"{stream}:stock:*"):
        raw.pexpire(key, 1)
    raw.delete(*raw.keys(f"{stream}:stock:*") or [f"{stream}:none"])


def odd_consumers(raw: redis.Redis, stream: str) -> None:
    for name in (b"\xff", b"", b"consumer_\xff\xfe_0", b"dispatcher_a1b2c3_0\n", b"x" * 2000):
        raw.execute_command("XGROUP", "CREATECONSUMER", stream, "stock", name)


def odd_groups(raw: redis.Redis, stream: str) -> None:
    for name in (b"\xff", b"", b"a:b", b"with space\n", b"x" * 2000):
        raw.execute_command("XGROUP", "CREATE", stream, name, "$")


BROKEN: dict[str, Break] = {
    "a registration that is a string": registration,
    "an announcement that is not JSON": announcement("not json"),
    "an announcement that is JSON of another kind": announcement("[1, 2]"),
    "an announcement whose values have other types": announcement('{"implementation": 7, "version": {}, "roles": "x"}'),
    "an announcement that is a hash": an_announcement_of_another_type,
    "foreign entries": foreign,
    "malformed entries": malformed,
    "a group without consumers": no_consumers,
    "registrations that have expired": expired,
    "consumers with odd names": odd_consumers,
    "groups with odd names": odd_groups,
}


@pytest.mark.parametrize("what", BROKEN)
def test_no_broken_stream_stops_a_command_that_looks(cli: Cli, raw: redis.Redis, stream: str, what: str) -> None:
    raw.xgroup_create(stream, "stock", mkstream=True)
    BROKEN[what](raw, stream)
    for command in COMMANDS:
        for words in (command.split(), [*command.split(), "--json"]):
            ran = cli(*words)
            assert ran.status in (0, 1, 4), (words, ran)


def test_a_group_whose_name_is_not_text_is_looked_at(cli: Cli, raw: redis.Redis, stream: str) -> None:
    raw.execute_command("XGROUP", "CREATE", stream, b"\xff", "$", "MKSTREAM")
    raw.execute_command("XGROUP", "CREATECONSUMER", stream, b"\xff", "consumer_abcdef_0")
    raw.lpush(b"%b:\xff:abcdef:consumers" % stream.encode(), "consumer_abcdef_0")
    raw.expire(b"%b:\xff:abcdef:consumers" % stream.encode(), 100)
    shown = {each["group"]: len(each["instances"]) for each in cli("groups", "--json").records}
    assert shown == {"\udcff": 1}


@pytest.mark.parametrize("command", ["groups", "ping stock", "doctor", "check stock", "watch"])
def test_another_kind_of_key_is_named(cli: Cli, raw: redis.Redis, stream: str, command: str) -> None:
    raw.lpush(stream, "x")
    ran = cli(*command.split())
    assert (ran.status, f"the key {stream!r}" in ran.err, "is a list and not a stream" in ran.err) == (5, True, True)
