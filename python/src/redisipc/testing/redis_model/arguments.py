"""Parses arguments of a command as Redis does: bytes, integers, entry IDs and ranges of them."""

from __future__ import annotations

from redisipc.protocol.commands import Arg, Command

from .data import LAST_KEY, LAST_PART, ZERO, Key


class Refused(Exception):
    """An error reply: its first word and the rest."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message: str = f"{kind} {message}"


def syntax() -> Refused:
    return Refused("ERR", "syntax error")


def raw(value: Arg) -> bytes:
    if type(value) is bytes:
        return value
    return str(value).encode()


def word(value: Arg) -> str:
    if type(value) is str:
        return value.upper()
    return raw(value).decode("latin-1").upper()


def number(value: Arg) -> int:
    try:
        return int(value)
    except ValueError:
        raise Refused("ERR", "value is not an integer or out of range") from None


def need(command: Command, least: int) -> None:
    if len(command) < least:
        raise Refused("ERR", f"wrong number of arguments for '{command[0]!s}' command")


def entry_key(value: Arg, default_sequence: int = 0) -> Key:
    """An entry ID, complete or only its milliseconds."""
    text = value if type(value) is bytes else raw(value)
    head, dash, tail = text.partition(b"-")
    if head.isdigit() and (tail.isdigit() if dash else True):
        ms = int(head)
        sequence = int(tail) if dash else default_sequence
        if ms <= LAST_PART and sequence <= LAST_PART:
            return ms, sequence
    raise Refused("ERR", "Invalid stream ID specified as stream command argument")


def following(key: Key) -> Key:
    ms, sequence = key
    if sequence < LAST_PART:
        return ms, sequence + 1
    if ms < LAST_PART:
        return ms + 1, 0
    raise Refused("ERR", "invalid start ID for the interval")


def preceding(key: Key) -> Key:
    ms, sequence = key
    if sequence:
        return ms, sequence - 1
    if ms:
        return ms - 1, LAST_PART
    raise Refused("ERR", "invalid end ID for the interval")


def range_start(value: Arg) -> Key:
    text = raw(value)
    if text == b"-":
        return ZERO
    if text == b"+":
        return LAST_KEY
    if text.startswith(b"("):
        return following(entry_key(text[1:]))
    return entry_key(text)


def range_end(value: Arg) -> Key:
    text = raw(value)
    if text == b"+":
        return LAST_KEY
    if text == b"-":
        return ZERO
    if text.startswith(b"("):
        return preceding(entry_key(text[1:]))
    return entry_key(text, LAST_PART)
