"""``redisipc acl``: the least rights, and the proof that a user has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis

from redisipc import Caller, Stream
from redisipc.cli.acl import rights
from redisipc.cli.acl.rights import CALLERS, NEEDS
from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure

from ..support_tables import rows
from .conftest import Cli

Add = Callable[[str], str]


@pytest.fixture
def user(raw: redis.Redis, stream: str) -> Iterator[Add]:
    """Make a user by a printed rule; its name."""
    name = f"u{stream}"

    def add(rule: str) -> str:
        raw.execute_command(*rule.replace("NAME", name).replace("PASSWORD", "secret").split())
        return name

    yield add
    raw.execute_command("ACL", "DELUSER", name)


def as_user(url: str, name: str) -> str:
    return f"redis://{name}:secret@{url.partition('://')[2]}"


def test_the_rights_are_those_of_the_table() -> None:
    table = rows("rights", "rights")
    listed = {(command.split()[0], row["level"]) for row in table.values() for command in row["commands"]}
    ours = {(need.command.split()[0], need.level) for need in NEEDS}
    # EXEC belongs to MULTI; XGROUP DELCONSUMER is a part of recovery.
    assert ours - listed == {("EXEC", "base"), ("XGROUP", "base")}
    assert listed <= ours


def test_with_the_printed_rule_endpoints_converse_and_recover(
    cli: Cli, user: Add, url: str, stream: str, gem: Callable[..., object]
) -> None:
    gem("web")
    ran = cli("acl", stream)
    assert ran.status == 0
    name = user(ran.out.strip())
    place = as_user(url, name)
    stock = Stream(stream, "stock", url=place)
    stock.on_request(lambda request: request.content)
    with stock, Stream(stream, "asks", url=place) as asks:
        assert asks.request(7, to="stock") == 7
    test = cli("acl", "--test", name)
    assert (test.status, test.out) == (0, "")
    assert "30 rights tried, 0 missing" in test.err


def test_with_the_printed_rule_a_caller_asks(cli: Cli, user: Add, url: str, stream: str) -> None:
    stock = Stream(stream, "stock", url=url)
    stock.on_request(lambda request: request.content)
    name = user(cli("acl", "--caller").out.strip())
    with stock, Caller(stream, url=as_user(url, name)) as caller:
        assert caller.request(7, to="stock") == 7
    assert cli("acl", "--caller", "--test", name).status == 0


@pytest.mark.parametrize("need", [each for each in NEEDS if "exec" not in each.rule], ids=lambda each: each.rule)
def test_a_missing_right_is_named(cli: Cli, user: Add, need: rights.Need, stream: str) -> None:
    rule = cli("acl", stream).out.strip().replace(f" +{need.rule}", "", 1)
    # "+client|id" remains when "+client" is taken away from "+client|unblock".
    name = user(rule)
    ran = cli("acl", "--test", name, "--json")
    denied = {each["command"] for each in ran.of("acl") if each["allowed"] is False}
    assert denied == {need.command}
    assert ran.status == (0 if need.level == "everything" else 1)


def test_a_missing_key_pattern_is_named(cli: Cli, user: Add, stream: str) -> None:
    name = user(cli("acl", stream).out.strip().replace(f" ~{stream}:*", ""))
    ran = cli("acl", "--test", name)
    assert ran.status == 1
    assert "missing  LPUSH" in ran.out


def test_names_with_patterns_in_them_are_escaped(cli: Cli, user: Add, raw: redis.Redis, stream: str) -> None:
    odd = f"{stream}[*]"
    name = user(cli("acl", odd).out.strip())
    assert cli("acl", odd, "--test", name).status == 0
    assert cli("acl", f"{stream}[x]", "--test", name).status == 1


def test_a_user_that_is_not_there(cli: Cli) -> None:
    ran = cli("acl", "--test", "nobody-of-that-name")
    assert ran.status == 5
    assert "not found" in ran.err


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        ("on >p ~{s} ~{s}:* resetchannels &{s}:* +@all", set()),
        ("on >p ~{s} ~{s}:* resetchannels &{s}:* +@all -@dangerous +info", {"CLIENT UNBLOCK"}),
        ("on >p ~* &* +@all -xclaim", {"XCLAIM"}),
        ("on >p ~{s} &* +@read +@write +@connection", None),
        ("off >p ~* &* +@all", None),
    ],
)
def test_reading_the_rules_says_the_same_as_trying(
    raw: redis.Redis, url: str, stream: str, rule: str, missing: set[str] | None
) -> None:
    """Redis 6.2 has no ACL DRYRUN: there the rules are read."""
    name = f"u{stream}"
    raw.execute_command("ACL", "SETUSER", name, "reset", *rule.replace("{s}", stream).split())
    client = Client(url)
    try:
        about = client.ask("ACL", "GETUSER", name)
        read = rights._by_rules(client, about, stream, NEEDS)
        if not isinstance(client.batch([("ACL", "DRYRUN", name, "PING")])[0], Failure) and "off" not in rule:
            assert read == rights.allowed(client, name, stream, NEEDS)
        if missing is not None:
            assert {need.command for need, may in read.items() if not may} >= missing
        if rule.startswith("off"):
            assert not any(read.values())
    finally:
        client.close()
        raw.execute_command("ACL", "DELUSER", name)


def test_who_may_not_try_others_is_told_who_may(cli: Cli, user: Add, url: str, stream: str) -> None:
    name = user(cli("acl").out.strip())
    ran = cli("acl", "--test", name, "--url", as_user(url, name))
    assert ran.status == 5
    assert "NOPERM" in ran.err
    assert "--test needs an administrator" in ran.err


def test_the_note_about_the_pattern_is_for_rules_that_have_it(cli: Cli, stream: str) -> None:
    assert f"the pattern {stream}:* also matches" in cli("acl").err
    assert cli("acl", "--caller", "--user", "asks").err == "replace PASSWORD\n"


def test_with_the_rights_that_the_page_names_each_command_works(
    cli: Cli, user: Add, url: str, stream: str, serve: Callable[..., object]
) -> None:
    """The table at the end of docs/command-line.md."""
    serve("stock")
    rule = cli("acl").out.strip()
    place = as_user(url, user(f"{rule} +xread"))
    for words in ("send stock 7", "check stock --round-trip 7", "ping stock", "groups", "doctor --for 100ms"):
        assert cli(*words.split(), "--url", place).status == 0, words
    place = as_user(url, user(f"{rule} +xread +xrevrange"))
    assert cli("watch", "--for", "50ms", "--url", place).status == 0


def test_doctor_without_the_right_to_read_names_the_traffic_and_looks_at_the_rest(
    cli: Cli, user: Add, url: str, stream: str, serve: Callable[..., object]
) -> None:
    serve("stock")
    ran = cli("doctor", "--for", "50ms", "--url", as_user(url, user(cli("acl").out.strip())))
    assert ran.status == 0, ran.err
    assert "not checked: the traffic: no right to MONITOR, and none to XREAD" in ran.err
    assert "with --for 10s" not in ran.err


def test_a_caller_learns_of_a_missing_group_without_the_rights_of_an_endpoint(
    cli: Cli, user: Add, url: str, stream: str, serve: Callable[..., object]
) -> None:
    serve("stock")
    ran = cli("send", "stok", "7", "--url", as_user(url, user(cli("acl", "--caller").out.strip())))
    assert ran.status == 4
    assert "there is no group 'stok'" in ran.err
    assert "NOPERM" not in ran.err


def test_the_rule_for_programs(cli: Cli, stream: str) -> None:
    [record] = cli("acl", "--json").of("acl-rule")
    assert record["rule"].startswith(f"ACL SETUSER NAME reset on >PASSWORD ~{stream} ")


def test_callers_need_less() -> None:
    assert {need.rule for need in CALLERS} == {"xadd", "xdel", "xrange", "xread", "xinfo|groups"}
