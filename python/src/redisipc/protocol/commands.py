"""Redis commands as plain data: one builder for each action on the wire, and the batch in which they travel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

Arg = str | bytes | int
Command = tuple[Arg, ...]

GIVE_BACK_IDLE = 86_400_000
"""Milliseconds of idle time that mark an entry as given back: far above any real one."""
GIVEN_BACK = GIVE_BACK_IDLE // 2
"""Milliseconds of idle time from which on an entry counts as given back."""


class Failure(NamedTuple):
    """An error reply of Redis: its first word (``NOGROUP``) and the whole text."""

    kind: str
    message: str


class Step:
    """Commands that belong together, and what becomes of their replies."""

    __slots__ = ("commands", "done", "lost")

    def __init__(
        self,
        commands: list[Command],
        done: Callable[[list[Any], float], None],
        lost: Callable[[bool, float], None] | None = None,
    ) -> None:
        self.commands = commands
        self.done = done
        self.lost = lost


class Batch:
    """What the writer sends next: all commands in one write, one reply each.

    ``epoch``: a connection opened for a lower epoch must be dropped first.
    """

    __slots__ = ("commands", "epoch", "steps")

    def __init__(self, steps: list[Step], epoch: int) -> None:
        self.steps = steps
        self.epoch = epoch
        self.commands: list[Command] = [command for step in steps for command in step.commands]


class Read:
    """What the reader sends next, on its own connection. ``block`` is in seconds."""

    __slots__ = ("block", "command", "epoch")

    def __init__(self, command: Command, block: float, epoch: int) -> None:
        self.command = command
        self.block = block
        self.epoch = epoch


def atomic(commands: Iterable[Command]) -> list[Command]:
    return [("MULTI",), *commands, ("EXEC",)]


def add(stream: bytes, fields: Sequence[Arg]) -> Command:
    # RIPC-REQ-13, NOMKSTREAM: a lost stream is learned at once (nil), and never made anew without its groups.
    return ("XADD", stream, "NOMKSTREAM", "*", *fields)


def acknowledge(stream: bytes, group: bytes, ids: Iterable[bytes]) -> Command:
    return ("XACK", stream, group, *ids)


def delete(stream: bytes, ids: Iterable[bytes]) -> Command:
    return ("XDEL", stream, *ids)


def read_new(stream: bytes, group: bytes, consumer: bytes, count: int, block: float) -> Command:
    # RIPC-NAME-6, RIPC-LIFE-5
    return ("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "BLOCK", int(block * 1000), "STREAMS", stream, ">")


def read_own(stream: bytes, group: bytes, consumer: bytes, count: int, after: bytes = b"0") -> Command:
    return ("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", stream, after)


def touch(stream: bytes, group: bytes, consumer: bytes) -> Command:
    # Up to Redis 7.0 a read of ">" that finds nothing leaves the consumer's idle time as it is; a read of the own list resets
    # it, and behind every ID there is nothing whose delivery it could count.
    return read_own(stream, group, consumer, 1, b"18446744073709551615-0")


def keep(stream: bytes, group: bytes, consumer: bytes, ids: Iterable[bytes]) -> Command:
    # RIPC-GROUP-10, JUSTID: neither reads bodies nor counts as a delivery.
    return ("XCLAIM", stream, group, consumer, 0, *ids, "JUSTID")


def claim(stream: bytes, group: bytes, consumer: bytes, id: bytes, idle_ms: int, starts: int | None = None) -> Command:
    if starts is None:
        return ("XCLAIM", stream, group, consumer, idle_ms, id, "JUSTID")
    return ("XCLAIM", stream, group, consumer, idle_ms, id, "RETRYCOUNT", starts, "JUSTID")


def give_back(stream: bytes, group: bytes, consumer: bytes, ids: Iterable[bytes]) -> Command:
    # RIPC-GROUP-24
    return ("XCLAIM", stream, group, consumer, 0, *ids, "IDLE", GIVE_BACK_IDLE, "JUSTID")


def pending(stream: bytes, group: bytes, idle_ms: int, start: bytes, count: int) -> Command:
    return ("XPENDING", stream, group, "IDLE", idle_ms, start, "+", count)


def pending_of(
    stream: bytes, group: bytes, consumer: bytes, count: int, start: bytes = b"-", end: bytes = b"+"
) -> Command:
    return ("XPENDING", stream, group, start, end, count, consumer)


def one(stream: bytes, id: bytes) -> Command:
    return ("XRANGE", stream, id, id)


def register(key: bytes, consumer: bytes, expiry: int) -> list[Command]:
    return atomic([("LREM", key, 0, consumer), ("LPUSH", key, consumer), ("EXPIRE", key, expiry)])
