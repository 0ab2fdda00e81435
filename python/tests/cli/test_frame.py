"""Exit statuses, options that every command has, what is loaded, where output goes."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

import redisipc
from redisipc.cli.main import COMMANDS
from redisipc.cli.redis.address import Address, address_of
from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure

from .conftest import Cli

PYTHON = [sys.executable, "-m", "redisipc"]


def test_status_0_is_a_fulfilled_request(cli: Cli, serve: Callable[..., Any]) -> None:
    serve("stock")
    assert cli("send", "stock", "7")[:2] == (0, "7\n")


def test_status_1_is_a_rejected_request(cli: Cli, serve: Callable[..., Any]) -> None:
    serve("stock")
    ran = cli("send", "stock", '{"reject":"no such sku"}')
    assert ran[:2] == (1, "no such sku\n")
    assert ran.err.startswith("rejected in ")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal_of_80_columns(command: str) -> None:
    environment = {**os.environ, "COLUMNS": "80"}
    words = [*PYTHON, *command.split(), "--help"]
    ran = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
    assert max(map(len, ran.stdout.splitlines())) <= 80
    assert ran.stdout.count("\n\n") >= 3


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("doctor shop", "type: redisipc doctor --stream shop"),
        ("doctor shop stock", "type: redisipc doctor --stream shop --group stock"),
        ("groups shop", "type: redisipc groups --stream shop"),
        ("groups stock --stream shop", "type: redisipc groups --stream shop --group stock"),
        ("watch shop stock", "type: redisipc watch --stream shop --group stock"),
        ("bench shop stock", "type: redisipc bench --stream shop --between stock"),
        ("ping shop stock", "if 'shop' is the stream, type: redisipc ping stock --stream shop"),
        ("check shop stock", "if 'shop' is the stream, type: redisipc check stock --stream shop"),
        ("serve shop stock", "if 'shop' is the stream, type: redisipc serve stock --stream shop"),
        ("ping stock web --stream shop", "ping takes one GROUP, but got 'web' as well; leave it out"),
        ("acl shop stock", "acl takes one STREAM, but got 'stock' as well"),
    ],
)
def test_a_name_without_its_option_is_answered_by_what_to_type(words: str, text: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("REDISIPC_STREAM", "COLUMNS")}
    ran = subprocess.run([*PYTHON, *words.split()], capture_output=True, text=True, env=environment, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert text in " ".join(ran.stderr.split())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["send"], "required: GROUP"),
        (["nothing"], "there is no command 'nothing'; there are send, call, ping"),
        (["watch", "--id", ""], "argument --id: it is blank; leave the option out, or give a name"),
        (["doctor", "--group", " "], "argument --group/-g: it is blank"),
        (["bench", "--between", ""], "argument --between: it is blank"),
        ([], "which command? There are send, call, ping, check, groups"),
        (["docter"], "there is no command 'docter'; did you mean doctor?"),
        (["shop", "doctor"], "for the stream shop, type: redisipc doctor --stream shop"),
        (["send", "stock", "--rpc", "3"], "send has no option --rpc; there are --count, --rate"),
        (["send", "stock", "--ratee", "3"], "send has no option --ratee; did you mean --rate?"),
        (["send", "stock", "{sku:", "1}"], "send takes GROUP and one JSON text, but got '1}' as well; quote the text"),
        (
            ["call", "shop", "stock", "reserve"],
            "'reserve' is not a parameter; write name=value, such as sku=1; the stream is",
        ),
        (["send", "stock", "--timeout", "soon"], "'soon' is not a duration above 0; write 2.5s, 300ms or 1m"),
        (["send", "stock", "--timeout", "0"], "not a duration above 0"),
        (["send", "stock", "--url", "http://x"], "--url must begin with redis://, rediss:// or unix://"),
        (["send", "stock", "--url", "redis://localhost:x/0"], "the port in --url must be a number from 1 to 65535"),
        (["send", "stock", "@nothing-there"], "cannot read 'nothing-there'"),
        (["send", "stock", "--count", "0"], "'0' is not a whole number of at least 1"),
        (["call", "stock", "reserve", "sku"], "'sku' is not a parameter; write name=value, such as sku=1"),
        (["send", " "], "group must not be blank"),
        (["send", "stock", "a\udcff"], "the content is not UTF-8: invalid start byte at byte 1"),
    ],
)
def test_status_2_is_a_wrong_command_line_and_says_what_is_right(cli: Cli, words: list[str], text: str) -> None:
    ran = cli(*words)
    assert (ran.status, ran.out) == (2, "")
    assert text in " ".join(ran.err.split())


def test_status_2_without_a_stream(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDISIPC_STREAM")
    ran = cli("send", "stock")
    assert (ran.status, ran.err) == (2, "redisipc: which stream? Give --stream NAME, or set REDISIPC_STREAM\n")


def test_status_3_is_a_timeout_though_somebody_is_there(cli: Cli, serve: Callable[..., Any]) -> None:
    serve("stock")
    ran = cli("send", "stock", "ignore", "--timeout", "300ms")
    assert ran.status == 3
    assert "1 living instance in group 'stock'" in ran.err


def test_status_4_is_nobody_there(cli: Cli, serve: Callable[..., Any]) -> None:
    serve("stock")
    ran = cli("send", "stok", "1")
    assert ran.status == 4
    assert "there is no group 'stok' (groups here: stock); did you mean 'stock'?" in ran.err


def test_status_5_is_a_redis_that_does_not_answer(cli: Cli) -> None:
    ran = cli("send", "stock", "--url", "redis://127.0.0.1:1")
    assert ran.status == 5
    assert "cannot reach Redis at 127.0.0.1:1 (--url): Connection refused; is it running there?" in ran.err


def test_status_5_is_a_database_that_is_not_there(cli: Cli, url: str) -> None:
    ran = cli("groups", "--url", urlsplit(url)._replace(path="/99999").geturl())
    assert ran.status == 5
    assert ran.err.endswith("DB index is out of range; check the database number in the URL\n")


def test_status_5_is_a_server_that_is_no_redis(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_as_a_web_server, args=(listener,), daemon=True).start()
        ran = cli("groups", "--url", f"redis://127.0.0.1:{listener.getsockname()[1]}")
    assert ran.status == 5
    assert ran.err.endswith("its answer is not one of Redis; is this a Redis server? Check the address\n")


def _answer_as_a_web_server(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(1000)


def test_status_5_is_a_right_that_is_missing(cli: Cli, raw: redis.Redis, url: str, stream: str) -> None:
    user, host = f"u{stream}", url.partition("://")[2]
    raw.execute_command("ACL", "SETUSER", user, "on", ">secret", f"~{stream}", "+@all", "-xadd")
    try:
        ran = cli("send", "stock", "--url", f"redis://{user}:secret@{host}")
        assert ran.status == 5
        assert "NOPERM" in ran.err
        wrong = cli("send", "stock", "--url", f"redis://{user}:wrong@{host}")
        assert wrong.status == 5
        assert "check the user and the password in the URL" in wrong.err
        assert "wrong@" not in wrong.err
    finally:
        raw.execute_command("ACL", "DELUSER", user)


def test_status_5_is_a_key_that_is_not_a_stream(cli: Cli, raw: redis.Redis, stream: str) -> None:
    raw.set(stream, "x")
    for words in (["send", "stock"], ["ping", "stock"], ["groups"], ["doctor"], ["watch"], ["check", "stock"]):
        ran = cli(*words)
        assert ran.status == 5, words
        assert "is --stream right?" in ran.err
        assert words == ["send", "stock"] or "is a string and not a stream" in ran.err


def test_with_the_least_rights_it_looks_all_the_same(
    cli: Cli, raw: redis.Redis, url: str, stream: str, serve: Callable[..., Any]
) -> None:
    serve("stock")
    serve("audit")
    user = f"u{stream}"
    rule = cli("acl", "--user", user).out.replace("PASSWORD", "secret").split()
    raw.execute_command(*rule)
    try:
        place = f"redis://{user}:secret@{url.partition('://')[2]}"
        for words in (["ping", "stock"], ["check", "stock"], ["groups"], ["watch", "--for", "50ms"]):
            ran = cli(*words, "--url", place)
            assert ran.status == (5 if words[0] == "watch" else 0), ran
        asked = cli("send", "stock", "1", "--url", place)
        assert (asked.status, "`redisipc acl STREAM --caller`" in asked.err) == (5, True)
        probed = cli("check", "stock", "--round-trip", "1", "--url", place)
        assert (probed.status, "round trip: failed, Redis refused to read: NOPERM" in probed.out) == (5, True)
        ran = cli("doctor", "--url", place)
        assert ": nothing is wrong in what could be checked\n" in ran.err
        assert "\nnot checked: expiry: NOPERM" in ran.err
        left_out = [line for line in ran.err.splitlines() if line.startswith("not checked: ")]
        assert len(set(left_out)) == len(left_out), "a right that both groups needed is said once"
        assert ran.status == 0, ran
    finally:
        raw.execute_command("ACL", "DELUSER", user)


def _heeds_ctrl_c() -> None:
    """Takes back that SIGINT is ignored: a program that a shell starts in the background inherits this."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_status_130_is_ctrl_c_and_the_request_is_deleted(
    url: str, stream: str, raw: redis.Redis, serve: Callable[..., Any]
) -> None:
    serve("stock", max_queue=9)
    words = [*PYTHON, "send", "stock", "later", "--url", url, "--stream", stream, "--timeout", "60s"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_heeds_ctrl_c)
    while not raw.xlen(stream):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")
    assert raw.xlen(stream) == 0


def test_what_importing_the_library_loads_has_nothing_of_the_command_line_or_the_double() -> None:
    text = "import sys, redisipc; from redisipc import Stream; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.startswith(("redisipc.cli", "redisipc.testing", "argparse"))]


def test_a_request_loads_neither_redis_py_nor_a_runtime(url: str, stream: str, serve: Callable[..., Any]) -> None:
    serve("stock")
    text = "import sys; from redisipc.cli.main import main; status = main(); print(*sys.modules, file=sys.stderr)"
    words = [sys.executable, "-c", text, "send", "stock", "1", "--url", url, "--stream", stream]
    ran = subprocess.run(words, capture_output=True, text=True, check=True)
    assert ran.stdout == "1\n"
    heavy = {"redis", "asyncio", "ssl", "logging", "threading", "redisipc.runtime.threads", "dataclasses"}
    # orjson, where it is installed, brings dataclasses along.
    light = {"threading", "dataclasses"} if find_spec("orjson") else {"threading"}
    assert heavy & set(ran.stderr.split()) <= light


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(cli: Cli, command: str) -> None:
    ran = cli(command, "--help")
    assert ran.status == 0
    assert "--json" in ran.out
    assert "--timeout" in ran.out


def test_the_list_of_commands_and_statuses(cli: Cli) -> None:
    ran = cli("--help")
    assert ran.status == 0
    assert all(f"    {command}" in ran.out for command in COMMANDS)
    assert all(f"\n  {number}" in ran.out for number in (0, 1, 2, 3, 4, 5, 130))


def test_the_version(cli: Cli) -> None:
    assert cli("--version").out == f"redisipc {redisipc.__version__}\n"


def test_options_may_stand_before_the_command(cli: Cli, serve: Callable[..., Any], stream: str) -> None:
    serve("stock")
    assert cli("--timeout", "2s", "--stream", stream, "send", "stock", "7").out == "7\n"


def test_a_reader_that_has_enough_ends_it_quietly(url: str, stream: str, serve: Callable[..., Any]) -> None:
    serve("stock")
    words = [*PYTHON, "send", "stock", "1", "--count", "200", "--url", url, "--stream", stream]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "NO_COLOR": ""}
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"1\n"
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait(20) == 0


def test_a_cluster_says_which_node_has_the_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def exchange(self: Client, address: Address, commands: list[Any]) -> list[Any]:
        asked.append((str(address), len(commands)))
        moved = Failure("MOVED", "MOVED 866 127.0.0.2:7001")
        return [moved, b"OK"] if address.port == 7000 else [b"there"]

    monkeypatch.setattr(Client, "_exchange", exchange)
    assert Client("redis://127.0.0.1:7000").batch([("GET", "a"), ("PING",)]) == [b"there", b"OK"]
    assert asked == [("127.0.0.1:7000", 2), ("127.0.0.2:7001", 1)]


@pytest.mark.parametrize(
    ("url", "shown", "rest"),
    [
        ("redis://", "localhost:6379", (0, "", "")),
        ("redis://h/3", "h:6379", (3, "", "")),
        ("redis://:p%2Fw@h:7/0", "h:7", (0, "", "p/w")),
        ("redis://u:p@h?db=2", "h:6379", (2, "u", "p")),
        ("redis://[::1]:7", "[::1]:7", (0, "", "")),
        ("unix:///tmp/r.sock?db=1", "/tmp/r.sock", (1, "", "")),
    ],
)
def test_an_address_is_read_as_redis_py_reads_it(url: str, shown: str, rest: tuple[int, str, str]) -> None:
    address, source = address_of(url)
    assert (str(address), source) == (shown, "--url")
    assert (address.db, address.user, address.password) == rest


WRONG = [
    ("send '' 1", "group must not be blank"),
    ("send stock @nofile.json", "cannot read 'nofile.json': No such file or directory"),
    ("send stock 1 -t 0s", "'0s' is not a duration above 0; write 2.5s, 300ms or 1m"),
    ("send stock 1 --count 0", "'0' is not a whole number of at least 1"),
    ("send stock 1 --rate -0.5", "--rate"),
    ("send stock 1 --rate 0", "'0' is not a rate above 0; write 10 or 0.5, which are requests a second"),
    ("call stock x sku", "'sku' is not a parameter; write name=value, such as sku=1"),
    ("ping ''", "group must not be blank"),
    ("check ' '", "group must not be blank"),
    ("check stock --instances 1.5", "'1.5' is not a whole number of at least 1"),
    ("check stock --format xml", "invalid choice: 'xml'"),
    ("groups --every 0s", "'0s' is not a duration above 0"),
    ("groups --url ''", "--url is empty; leave it out for REDIS_URL or redis://localhost:6379"),
    ("groups --url http://x", "--url must begin with redis://, rediss:// or unix://; write redis://localhost:6379/0"),
    ("groups --url redis://x:y", "the port in --url must be a number from 1 to 65535"),
    ("groups --url redis://x:1/y", "the database in --url must be a number, got 'y'"),
    (
        "groups --url redis://[::1",
        "--url must have a name or an address as host, an IPv6 one in brackets, such as [::1]",
    ),
    ("groups --stream ''", "which stream? Give --stream NAME, or set REDISIPC_STREAM"),
    ("watch --record /nowhere/x", "cannot write '/nowhere/x' (--record): No such file or directory"),
    ("serve stock --reject-rate 150%", "'150%' is not a share from 0 to 1; write 0.1 or 10%"),
    ("serve stock --echo --reply 1", "not allowed with argument --echo"),
    ("serve caller:x", "a group's name must not begin with 'caller:'"),
    ("bench --size x", "'x' is not a whole number of at least 1"),
    ("nonsense", "there is no command 'nonsense'"),
]


@pytest.mark.parametrize(("words", "text"), WRONG, ids=[words for words, _ in WRONG])
def test_a_wrong_command_line_says_what_to_write(
    cli: Cli, raw: redis.Redis, stream: str, words: str, text: str
) -> None:
    raw.xgroup_create(stream, "stock", mkstream=True)
    ran = cli(*shlex.split(words))
    assert (ran.status, ran.out) == (2, "")
    assert text in ran.err
    assert "Traceback" not in ran.err


def test_doctor_does_not_call_a_group_well_that_does_not_exist(cli: Cli, raw: redis.Redis, stream: str) -> None:
    raw.xgroup_create(stream, "stock", mkstream=True)
    ran = cli("doctor", "--group", "stok")
    assert (ran.status, "there is no group 'stok' (groups here: stock); did you mean 'stock'?" in ran.err) == (4, True)


def test_watch_ends_by_the_timeout_that_is_given(cli: Cli, raw: redis.Redis, stream: str) -> None:
    raw.xgroup_create(stream, "stock", mkstream=True)
    ran = cli("watch", "--id", "next", "-t", "0.2s")
    assert (ran.status, "no request came" in ran.err) == (4, True)
    for words in (("watch",), ("watch", "--exact"), ("groups", "--every", "100ms")):
        assert cli(*words, "-t", "0.2s").status == 0
