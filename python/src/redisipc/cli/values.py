"""Words of a command line to values: durations, numbers, contents, parameters."""

from __future__ import annotations

import argparse
import re
import sys
from typing import Any

from redisipc.protocol.content import decode

_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """Seconds: ``2.5s``, ``300ms``, ``1m``; a bare number is seconds."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ms|s|m|h|)", text.strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= 30 * 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration above 0; write 2.5s, 300ms or 1m")
    return seconds


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def number(text: str) -> int:
    """A whole number of at least 0."""
    return 0 if re.fullmatch("0+", text) else count(text)


def pace(text: str) -> float:
    """So many a second, above 0."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?|\.[0-9]+", text) or float(text) <= 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a rate above 0; write 10 or 0.5, which are requests a second"
        )
    return float(text)


def counts(text: str) -> list[int]:
    """Whole numbers, by commas: ``1,16,64``."""
    return [count(part) for part in text.split(",")]


def share(text: str) -> float:
    """A share of all: ``0.1``, ``10%``."""
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1; write 0.1 or 10%")
    return value


def content(text: str) -> bytes:
    """The bytes of a content: the word itself, ``-`` for stdin, ``@file`` for a file without the line feed at its end."""
    data = text.encode("utf-8", "surrogateescape")
    if text == "-":
        data = _cut(sys.stdin.buffer.read())
    elif text.startswith("@"):
        try:
            with open(text[1:], "rb") as file:
                data = _cut(file.read())
        except OSError as error:
            raise argparse.ArgumentTypeError(f"cannot read {text[1:]!r}: {error.strerror or error}") from error
    try:
        data.decode()
    except UnicodeDecodeError as error:
        # RIPC-CONTENT-8
        raise argparse.ArgumentTypeError(f"the content is not UTF-8: {error.reason} at byte {error.start}") from error
    return data


def _cut(data: bytes) -> bytes:
    return data[:-2] if data.endswith(b"\r\n") else data[:-1] if data.endswith(b"\n") else data


def name(text: str) -> str:
    """A name that is not blank: an unset variable of a script must not mean everything."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is blank; leave the option out, or give a name")
    return text


def parameter(text: str) -> tuple[str, Any]:
    """``name=value``: the value is JSON where it is JSON, else a string."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a parameter; write name=value, such as sku=1; the stream is --stream"
        )
    return name, decode(value.encode("utf-8", "surrogateescape"))
