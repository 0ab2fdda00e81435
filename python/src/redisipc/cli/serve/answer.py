"""How ``serve`` answers: echo, a fixed reply, or a command's output."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from typing import Any

from redisipc.cli.exits import USAGE, Problem
from redisipc.errors import Reject
from redisipc.protocol.content import decode, encode

Answer = Callable[[Any], Any]
"""A content to the answer's; raises ``Reject``."""


def echo(content: Any) -> Any:
    """The content itself."""
    return content


def reply(text: bytes) -> Answer:
    """Always the same."""
    value = decode(text)
    return lambda content: value


def command(line: str, limit: float) -> Answer:
    """The output of a program that gets the content on stdin. If it fails, the last line of stderr is the reason."""
    try:
        words = shlex.split(line)
    except ValueError:
        raise Problem(
            USAGE,
            f"--command {line!r} cannot be split into words: a quote is not closed, or a backslash is the last one",
        ) from None
    if not words:
        raise Problem(USAGE, "--command is empty; write a program and its arguments")

    def run(content: Any) -> Any:
        try:
            ran = subprocess.run(words, input=encode(content), capture_output=True, timeout=limit)
        except subprocess.TimeoutExpired:
            raise Reject(f"{words[0]} took longer than {limit:g} s") from None
        except OSError as error:
            raise Reject(f"{words[0]} cannot be run: {error.strerror or error}") from error
        if ran.returncode:
            lines = ran.stderr.decode("utf-8", "replace").strip().splitlines()
            raise Reject(lines[-1] if lines else f"{words[0]} ended with status {ran.returncode}")
        return decode(ran.stdout.removesuffix(b"\n"))

    return run
