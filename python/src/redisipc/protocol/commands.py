"""Redis commands as plain data: one builder for each action on the wire, and the batch that carries them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

Arg = str | bytes | int
Command = tuple[Arg, ...]

GIVE_BACK_IDLE_MS = 315_360_000_000
"""Idle time that marks an entry as given back: ten years, longer than any outage."""
GIVE_BACK_RESPONSE_IDLE_MS = 630_720_000_000
"""Idle time that marks a response as given back: twenty years."""
GIVEN_BACK_FROM_MS = GIVE_BACK_IDLE_MS // 2
"""From this idle time on, an entry counts as given back."""
RESPONSE_FROM_MS = 473_040_000_000
"""From this idle time on, an entry that was given back counts as a response: its body need not be read to know."""
LATE_MS = 5000
"""From this idle time on, an owner claims an entry again only if no other member has claimed it since."""
COUNTS_A_START = 3
"""The number that one start adds to the delivery count of an entry: as much as a gem's reads add (RIPC-GROUP-20)."""
LOOKS = frozenset(("XPENDING", "XRANGE", "XINFO", "LRANGE", "GET", "TIME", "INFO"))
"""Commands that write nothing: they work while Redis refuses every write."""


class Failure(NamedTuple):
    """An error reply of Redis: its first word (``NOGROUP``) and the whole text."""

    kind: str
    message: str


class Step:
    """Commands that belong together, and the handling of their replies."""

    __slots__ = ("commands", "done", "lost")

    @property
    def looks(self) -> bool:
        """Whether it writes nothing."""
        return all(command[0] in LOOKS for command in self.commands)

    def __init__(
        self,
        commands: list[Command],
        done: Callable[[list[Any], float], None],
        lost: Callable[[bool, float], None] | None = None,
    ) -> None:
        self.commands: list[Command] = commands
        self.done: Callable[[list[Any], float], None] = done
        self.lost: Callable[[bool, float], None] | None = lost


class Batch:
    """The commands that the writer sends next, in one write. Each has one reply.

    ``epoch``: a connection that was opened for a lower epoch must be dropped first. ``taken_at``: when the core
    returned it, in monotonic seconds. Redis executes it later.
    """

    __slots__ = ("commands", "epoch", "steps", "taken_at")

    def __init__(self, steps: list[Step], epoch: int, taken_at: float = 0.0) -> None:
        self.steps: list[Step] = steps
        self.epoch: int = epoch
        self.taken_at: float = taken_at
        self.commands: list[Command] = [command for step in steps for command in step.commands]


class Read:
    """The next command of the reader, on its own connection. ``block`` is in seconds; ``taken_at`` as in ``Batch``."""

    __slots__ = ("block", "command", "epoch", "taken_at")

    def __init__(self, command: Command, block: float, epoch: int, taken_at: float = 0.0) -> None:
        self.command: Command = command
        self.block: float = block
        self.epoch: int = epoch
        self.taken_at: float = taken_at


def atomic(commands: Iterable[Command]) -> list[Command]:
    return [("MULTI",), *commands, ("EXEC",)]


def add(stream: bytes, fields: Sequence[Arg]) -> Command:
    # RIPC-REQ-13, NOMKSTREAM: the reply (nil) shows a lost stream at once; XADD never creates it without its groups.
    return ("XADD", stream, "NOMKSTREAM", "*", *fields)


def add_entry(
    stream: bytes, id: bytes, instance: bytes, status: bytes, content: bytes, source: bytes, destination: bytes
) -> Command:
    """``add`` of an entry, in one step. It writes each request and each answer."""
    return (
        "XADD", stream, "NOMKSTREAM", "*", b"id", id, b"instance_id", instance, b"status", status, b"content", content,
        b"source_group", source, b"destination_group", destination,
    )  # fmt: skip


def acknowledge(stream: bytes, group: bytes, ids: Iterable[bytes]) -> Command:
    return ("XACK", stream, group, *ids)


def delete(stream: bytes, ids: Iterable[bytes]) -> Command:
    return ("XDEL", stream, *ids)


def read_new(stream: bytes, group: bytes, consumer: bytes, count: int, block: float) -> Command:
    # RIPC-NAME-6, RIPC-LIFE-5
    return ("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "BLOCK", int(block * 1000), "STREAMS", stream, ">")


def read_now(stream: bytes, group: bytes, consumer: bytes, count: int) -> Command:
    return ("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", stream, ">")


def read_own(stream: bytes, group: bytes, consumer: bytes, count: int, after: bytes = b"0") -> Command:
    return ("XREADGROUP", "GROUP", group, consumer, "COUNT", count, "STREAMS", stream, after)


def reset_idle(stream: bytes, group: bytes, consumer: bytes) -> Command:
    # Up to Redis 7.0 a read of ">" that finds nothing leaves the consumer's idle time as it is. A read of its own list
    # resets it. No entry follows the highest ID, so this read counts no delivery.
    return read_own(stream, group, consumer, 1, b"18446744073709551615-0")


def keep(stream: bytes, group: bytes, consumer: bytes, ids: Iterable[bytes], idle_ms: int = 0) -> Command:
    # RIPC-GROUP-10, JUSTID reads no bodies, and does not count as a delivery.
    return ("XCLAIM", stream, group, consumer, idle_ms, *ids, "JUSTID")


def take_over(stream: bytes, group: bytes, consumer: bytes, id: bytes, idle_ms: int, starts: int) -> Command:
    """Another member's entry; ``starts`` counts the one to come."""
    return ("XCLAIM", stream, group, consumer, idle_ms, id, "RETRYCOUNT", COUNTS_A_START * starts, "JUSTID")


def take_up(stream: bytes, group: bytes, consumer: bytes, id: bytes, starts: int) -> Command:
    """An entry that no consumer has: FORCE makes it pending again, unless another was faster (RIPC-GROUP-32)."""
    count = COUNTS_A_START * starts
    return ("XCLAIM", stream, group, consumer, LATE_MS, id, "RETRYCOUNT", count, "FORCE", "JUSTID")


def mark(response: bool) -> tuple[Arg, ...]:
    """``response``: it is known to be one. Whatever is not known is given back like a request (RIPC-GROUP-24)."""
    return ("IDLE", GIVE_BACK_RESPONSE_IDLE_MS if response else GIVE_BACK_IDLE_MS)


def give_back(
    stream: bytes, group: bytes, consumer: bytes, ids: Iterable[bytes], idle_ms: int = 0, responses: bool = False
) -> Command:
    return ("XCLAIM", stream, group, consumer, idle_ms, *ids, *mark(responses), "JUSTID")


def restore(stream: bytes, group: bytes, consumer: bytes, id: bytes, deliveries: int, response: bool) -> Command:
    """Give back what was pending for a consumer that is deleted (RIPC-LIFE-25)."""
    counted = ("RETRYCOUNT", deliveries, "FORCE", "JUSTID")
    return ("XCLAIM", stream, group, consumer, 0, id, *mark(response), *counted)


def return_to(stream: bytes, group: bytes, dispatcher: bytes, id: bytes, deliveries: int) -> Command:
    """Make a deleted dispatcher again the owner of the entries that it had just read (RIPC-LIFE-25)."""
    return ("XCLAIM", stream, group, dispatcher, 0, id, "RETRYCOUNT", deliveries, "FORCE", "JUSTID")


def pending(stream: bytes, group: bytes, idle_ms: int, start: bytes, count: int) -> Command:
    return ("XPENDING", stream, group, "IDLE", idle_ms, start, "+", count)


def pending_of(stream: bytes, group: bytes, consumer: bytes, count: int, start: bytes = b"-") -> Command:
    return ("XPENDING", stream, group, start, "+", count, consumer)


def owner_of(stream: bytes, group: bytes, id: bytes) -> Command:
    """It names no consumer, so any owner may appear (RIPC-GROUP-32)."""
    return ("XPENDING", stream, group, id, id, 1)


def one(stream: bytes, id: bytes) -> Command:
    return ("XRANGE", stream, id, id)


def create_consumer(stream: bytes, group: bytes, consumer: bytes) -> Command:
    return ("XGROUP", "CREATECONSUMER", stream, group, consumer)


def delete_consumer(stream: bytes, group: bytes, consumer: bytes) -> Command:
    return ("XGROUP", "DELCONSUMER", stream, group, consumer)


def register(key: bytes, consumer: bytes, expiry: int) -> list[Command]:
    return atomic([("LREM", key, 0, consumer), ("LPUSH", key, consumer), ("EXPIRE", key, expiry)])
