"""``redisipc COMMAND``: finds the command, runs it, and ends with its exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from redisipc.errors import ConfigurationError, ContentError
from redisipc.protocol import json_fast
from redisipc.version import __version__

from .exits import INTERRUPTED, MEANING, USAGE, Problem
from .options import Given, add_common
from .output import Output, columns
from .strays import Parser, refuse

COMMANDS = {
    "send": ("ask.send", "send a request and print the answer"),
    "call": ("ask.call", "trigger an event of a channel and print the answer"),
    "ping": ("ask.ping", "show which instances of a group live"),
    "check": ("ask.check", "test the health of a group, for Kubernetes, cron and monitoring"),
    "groups": ("look.groups", "show the groups of the stream, their instances, and what waits and runs"),
    "watch": ("watch.command", "show requests and answers as they pass"),
    "doctor": ("doctor.command", "examine the stream and the server, and say what is wrong and how to repair it"),
    "serve": (
        "serve.command",
        "join a group and answer its requests; for tests, also late, with rejections, or with a crash",
    ),
    "bench": ("bench.command", "measure how fast a group answers, at full speed or at a fixed rate"),
    "acl": ("acl.command", "show the least rights that a program needs, and whether a user has them"),
}
"""Each command with the module below ``redisipc.cli`` that has ``add(parser)`` and ``run(given)``; loaded when it is used."""

_ABOUT = """\
Sends requests to programs that share a Redis stream, watches them, and examines them.
Only send, call, serve, bench and check --round-trip write to the stream."""


def main(argv: list[str] | None = None) -> int:
    """Run a command. Returns its exit status; usage errors exit with 2."""
    words = sys.argv[1:] if argv is None else argv
    chosen = next((word for word in words if word in COMMANDS), None)
    parser, of_command = _parsers(chosen, words)
    args, strays = parser.parse_known_args(words)
    if strays:
        refuse(of_command, args, strays)
    out = Output(getattr(args, "json", False))
    try:
        return _run(args, out)
    except Problem as problem:
        out.say(f"redisipc: {problem}")
        return problem.status
    except (ConfigurationError, ContentError) as error:
        out.say(f"redisipc: {error}")
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # `| head` has read enough. What is buffered must not be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(args: argparse.Namespace, out: Output) -> int:
    module = import_module(f"redisipc.cli.{COMMANDS[args.command][0]}")
    # An endpoint of a command still seeks it.
    json_fast.skip()
    given = Given(args, out)
    try:
        status: int = module.run(given)
        return status
    finally:
        given.client.close()


def _parsers(chosen: str | None, words: Sequence[str]) -> tuple[Parser, Parser]:
    """The parser of the whole command line, and that of the command."""
    statuses = "\n".join(f"  {number:<4} {meaning}" for number, meaning in MEANING.items())
    parser = Parser(
        prog="redisipc",
        description=_ABOUT,
        epilog=f"exit statuses:\n{statuses}\n\nredisipc COMMAND --help says more.",
        formatter_class=_formatter,
    )
    parser.commands, parser.words = list(COMMANDS), words
    parser.add_argument("--version", action="version", version=f"redisipc {__version__}")
    add_common(parser)
    commands = parser.add_subparsers(
        prog="redisipc", dest="command", metavar="COMMAND", title="commands", required=True
    )
    of_command = parser
    for name, (module, about) in COMMANDS.items():
        sub = commands.add_parser(
            name, help=about, description=about[0].upper() + about[1:] + ".",
            formatter_class=_formatter, add_help=name == chosen,
        )  # fmt: skip
        if name == chosen:
            import_module(f"redisipc.cli.{module}").add(sub)
            add_common(sub)
            of_command = sub
    return parser, of_command


class _Help(argparse.HelpFormatter):
    """Help whose sentences are wrapped, and whose tables, with their lines that are indented, stay."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        import textwrap  # rare, and an import that everybody would pay for

        parts: list[str] = []
        for line in text.splitlines():
            if parts and line and not line.startswith(" ") and parts[-1] and not parts[-1].startswith(" "):
                parts[-1] += f" {line}"
            else:
                parts.append(line)
        return "\n".join(part if part.startswith(" ") else textwrap.fill(part, width) for part in parts)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """The formatter of help, with the width that argparse would ask a slow module for, at each argument."""
    return _Help(prog, width=columns(sys.stdout) - 2)


def entry() -> None:
    """The installed program ``redisipc``."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # While it was loading.
        sys.exit(INTERRUPTED)
