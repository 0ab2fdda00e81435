"""Words of a command line that its command does not take: what to type in their place."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from .exits import USAGE

GROUP_OPTION = {"groups": "--group", "watch": "--group", "doctor": "--group", "bench": "--between"}
"""The commands whose group is an option."""


class Parser(argparse.ArgumentParser):
    """A parser whose error about an unknown command names the nearest one."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message, and exit with 2."""
        found = re.match(r"argument COMMAND: invalid choice: '(.*)' \(choose", message, re.DOTALL)
        if found:
            message = f"there is no command {found[1]!r}; {self.hint(found[1])}"
        elif message.startswith("the following arguments are required: COMMAND"):
            message = f"which command? There are {', '.join(self.commands)}"
        super().error(message)

    commands: Sequence[str] = ()
    words: Sequence[str] = ()

    def hint(self, wrong: str) -> str:
        """Returns what was meant by ``wrong``, which stands where a command belongs."""
        close = _close(wrong, self.commands)
        if close:
            return f"did you mean {close}?"
        later = next((word for word in self.words if word in self.commands), None)
        if later is not None:
            return f"for the stream {wrong}, type: redisipc {later} --stream {_quoted(wrong)}"
        return f"there are {', '.join(self.commands)}"


def refuse(parser: argparse.ArgumentParser, args: argparse.Namespace, strays: Sequence[str]) -> NoReturn:
    """End with status 2, and say what to type for the words that the command does not take."""
    option = next((word for word in strays if word.startswith("-") and word != "-"), None)
    message = _unknown_option(parser, args.command, option) if option else _misplaced(args, strays)
    parser.print_usage(sys.stderr)
    parser.exit(USAGE, f"redisipc {args.command}: error: {message}\n")


def _unknown_option(parser: argparse.ArgumentParser, command: str, option: str) -> str:
    name = option.partition("=")[0]
    options = re.findall(r"--[a-z-]+", parser.format_usage())
    close = _close(name, options)
    return f"{command} has no option {name}; " + (
        f"did you mean {close}?" if close else f"there are {', '.join(options)}"
    )


def _misplaced(args: argparse.Namespace, strays: Sequence[str]) -> str:
    command, stream = args.command, getattr(args, "stream", None)
    if command in GROUP_OPTION:
        option = GROUP_OPTION[command]
        rest = strays if stream is not None else strays[1:]
        typed = f"redisipc {command} --stream {_quoted(stream or strays[0])}"
        if rest:
            typed += f" {option} {_quoted(rest[0])}"
        return f"{command} takes names as options, and {strays[0]!r} has none before it; type: {typed}"
    if command == "acl":
        return f"acl takes one STREAM, but got {strays[0]!r} as well; the rights are the same for all groups, so leave it out"
    first = args.group
    if stream is None and command in ("ping", "check", "serve"):
        return f"{command} takes one GROUP, but got {strays[0]!r} as well; if {first!r} is the stream, type: " + (
            f"redisipc {command} {_quoted(strays[0])} --stream {_quoted(first)}"
        )
    if command == "send":
        besides = f"but got {strays[0]!r} as well"
        return f"send takes GROUP and one JSON text, {besides}; quote the text, and give the stream by --stream"
    return f"{command} takes one GROUP, but got {strays[0]!r} as well; leave it out"


def _close(wrong: str, words: Sequence[str]) -> str | None:
    import difflib  # rare, and an import that everybody would pay for

    by_name = {word.lstrip("-"): word for word in words}
    close = difflib.get_close_matches(wrong.lstrip("-"), by_name, 1)
    return by_name[close[0]] if close else None


def _quoted(name: str) -> str:
    import shlex  # as above

    return shlex.quote(name)
