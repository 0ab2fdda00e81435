"""The output in a terminal of 80 and 200 columns, with and without colour, in a pipe; names that try to control a terminal."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import redis

from redisipc import Stream
from redisipc.cli.main import main
from redisipc.cli.output import Output, columns_of, safe

from .conftest import Cli

Serve = Callable[..., Stream]
COLOUR = re.compile(r"\033\[[0-9;]*m")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]")
EVIL = "st\x1b[31mock\n\x1b[2J\u202eevil\x1b]0;title\x07"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Any:
    """Run a command in a terminal of so many columns; what it shows."""
    assert cli

    def run(columns: int, *words: str, colour: bool = True) -> str:
        shown = Terminal()
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, shown)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "" if colour else "1")
        main(list(words))
        return shown.getvalue()

    return run


@pytest.fixture
def evil(raw: redis.Redis, stream: str) -> str:
    """A group, instances and entries whose names would control a terminal, or forge a line."""
    raw.xgroup_create(stream, EVIL, "$", mkstream=True)
    raw.xgroup_createconsumer(stream, EVIL, f"dispatcher_{EVIL}_0")
    raw.xgroup_createconsumer(stream, EVIL, "strange\nconsumer\x1b[1m")
    fields: dict[Any, Any] = {
        "id": EVIL, "instance_id": EVIL, "status": "pending", "content": EVIL, "source_group": EVIL, "destination_group": EVIL,
    }  # fmt: skip
    raw.xadd(stream, fields)
    raw.xadd(stream, {**fields, "seventh": EVIL})
    raw.xadd(stream, {**fields, "status": EVIL})
    raw.xadd(stream, {b"\xff\x1b": b"\xff\x1b"})
    raw.xreadgroup(EVIL, "strange\nconsumer\x1b[1m", {stream: ">"}, count=3)
    raw.rpush(f"{stream}:{EVIL}:{EVIL}:consumers", f"consumer_{EVIL}_0")
    raw.set(f"{stream}:{EVIL}:{EVIL}:announce", json.dumps({"implementation": EVIL, "version": EVIL, "language": EVIL}))
    return EVIL


COMMANDS = [
    ("groups",), ("doctor",), ("ping", EVIL), ("ping", "x"), ("check", EVIL), ("check", "x"),
    ("check", EVIL, "--format", "prometheus"), ("check", EVIL, "--format", "nagios"),
    ("send", "x", "1", "-t", "0.2s"), ("send", EVIL, EVIL, "-t", "0.2s"),
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words).encode("unicode_escape").decode())
def test_no_name_controls_the_terminal_or_forges_a_line(
    cli: Cli, terminal: Any, evil: str, words: tuple[str, ...]
) -> None:
    piped = cli(*words)
    for text in (piped.out, piped.err):
        assert not CONTROL.search(text), text
        assert not [line for line in text.splitlines() if line.startswith(("evil", "\u202e"))]
    for colour in (True, False):
        shown = terminal(80, *words, colour=colour)
        assert not CONTROL.search(COLOUR.sub("", shown) if colour else shown), shown
        for line in shown.splitlines():
            assert "\033" not in line or line.endswith("\033[0m") or "\033[0m" in line[line.rindex("\033") :]


def test_json_is_json_whatever_the_names(cli: Cli, evil: str) -> None:
    for words in (("groups", "--json"), ("doctor", "--json"), ("ping", evil, "--json"), ("check", evil, "--json")):
        for record in cli(*words).records:
            assert isinstance(record, dict)


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("words", [("groups",), ("doctor",), ("ping", "stock")])
def test_lines_fit_the_terminal(terminal: Any, serve: Serve, columns: int, words: tuple[str, ...]) -> None:
    serve("stock")
    serve("w" * 30)
    shown = terminal(columns, *words)
    assert "\033[" in shown or words[0] == "ping"
    plain = terminal(columns, *words, colour=False)
    assert "\033" not in plain
    # Commands to be copied stay whole.
    lines = [line for line in plain.splitlines() if not line.lstrip().startswith("$ ")]
    assert lines
    assert max(map(columns_of, lines)) <= columns


def test_content_in_a_pipe_is_what_was_answered(cli: Cli, terminal: Any, serve: Serve) -> None:
    serve("stock")
    text = "a\tb\nc\x1b[2J\u202ed"
    assert cli("send", "stock", text).out == text + "\n"
    odd = {"\U000e0001": "\x1b", "👩‍🚀": "\u2028"}
    assert json.loads(cli("send", "stock", json.dumps(odd)).out) == odd
    shown = terminal(80, "send", "stock", text)
    assert shown.startswith("a\tb\nc\\u001b[2J\\u202ed\n")


def test_an_escaped_character_is_one_of_json() -> None:
    for each in ("\x1b", "\u202e", "\U000e0001", "\U0010fffe"):
        assert safe(each).isascii()
        assert json.loads(f'"{safe(each)}"') == each


def test_colours_end_with_their_line() -> None:
    out = Terminal()
    made = Output(False, out, out)
    made.line("\033[31mred for ever")
    made.line("\033[5mblinks, which is none of ours")
    assert out.getvalue().splitlines()[0].endswith("\033[0m")
    assert "\033[5m" not in out.getvalue()


@pytest.mark.parametrize(
    ("redirection", "status", "says"),
    [
        ("> /dev/full", 2, "redisipc: the output cannot be written: No space left on device\n"),
        (">&-", 0, ""),
        ("2> /dev/full", 0, ""),
        (">&- 2>&-", 0, ""),
    ],
)
def test_an_output_that_cannot_be_written_is_no_traceback(
    cli: Cli, stream: str, url: str, redirection: str, status: int, says: str
) -> None:
    assert cli
    if "full" in redirection and not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with redis.Redis.from_url(url) as raw:
        raw.xgroup_create(stream, "stock", mkstream=True)
    command = f"{shlex.quote(sys.executable)} -m redisipc groups {redirection}"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (status, says)
