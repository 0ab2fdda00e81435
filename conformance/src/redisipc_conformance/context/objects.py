"""The objects that a scenario can name, and the value of `${name.part}` for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..scenario.content import decode
from ..scenario.values import BadValue
from ..wire.fault import Fault

if TYPE_CHECKING:
    from ..testee.process import TesteeProcess
    from ..wire.tap import Exchange, Tap

FIELDS = ("id", "instance_id", "status", "content", "source_group", "destination_group")


def place(entry: str) -> tuple[int, int]:
    """A Redis ID as numbers, which compare as Redis orders them."""
    milliseconds, _, sequence = entry.partition("-")
    return int(milliseconds), int(sequence or 0)


class NamedObject:
    """An object with parts."""

    PARTS: frozenset[str] = frozenset()

    def part(self, name: str) -> Any:
        if name not in self.PARTS:
            raise BadValue(f"it has no {name!r}; there are {', '.join(sorted(self.PARTS))}")
        return getattr(self, name)


@dataclass(eq=False)
class Member(NamedObject):
    """An endpoint of the testee or a peer of the runner: one instance of a group."""

    label: str
    group: str
    instance: str
    stream: str

    PARTS = frozenset({"instance", "group", "key", "consumer", "dispatcher", "stream"})

    @property
    def key(self) -> str:
        """The availability list."""
        return f"{self.stream}:{self.group}:{self.instance}:consumers"

    @property
    def consumer(self) -> str:
        return f"consumer_{self.instance}_0"

    @property
    def dispatcher(self) -> str:
        return f"dispatcher_{self.instance}_0"


@dataclass(eq=False)
class Endpoint(Member):
    """An endpoint of the testee."""

    handle: str = ""
    """Its name in the testee protocol. It is unique in the run, since processes are shared."""
    process: TesteeProcess | None = None
    process_name: str = "one"
    tap: Tap | None = None
    events: list[dict[str, Any]] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    caller: bool = False
    """It has no group. Its `group` is the name of a caller, known once it is connected."""
    connected: bool = False
    received: list[Received] = field(default_factory=list)
    errors: list[ErrorSeen] = field(default_factory=list)
    servers: list[Callable[[Received], None]] = field(default_factory=list)
    unacknowledged: str = ""
    """The first entry for another group that it kept pending, in words."""
    stuck: set[str] = field(default_factory=set)
    """Redis IDs that stay pending although no handler has them."""


@dataclass(eq=False)
class Peer(Member):
    """An instance played by the runner."""

    registered: bool = False
    consumers: tuple[str, ...] = ()
    inbox: list[Written] = field(default_factory=list)
    """Entries that it has read, and that no step has taken yet."""
    fetched: deque[Written] = field(default_factory=deque)
    """Entries in its pending list that were not examined yet."""
    read: set[str] = field(default_factory=set)
    """Redis IDs of entries that it has read and not settled."""
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(eq=False)
class Written(NamedObject):
    """An entry that was written to a stream, by any writer."""

    key: str
    entry: str
    """Its Redis ID."""
    pairs: list[tuple[bytes, bytes]]
    at: float
    """When its XADD was sent: all effects of it are later. If no tap saw the XADD: when the entry was read."""
    by: str = ""
    """The endpoint or peer that wrote it, if known."""
    by_suite: bool = False
    marked_invalid: bool = False
    named: bool = False
    exchange: Exchange | object | None = None

    PARTS = frozenset({*FIELDS, "entry", "text", "at", "key"})

    def raw(self, name: str) -> bytes | None:
        """The raw value of the first field with that name."""
        wanted = name.encode()
        for field_, value in self.pairs:
            if field_ == wanted:
                return value
        return None

    def _text(self, name: str) -> str:
        return (self.raw(name) or b"").decode("utf-8", "surrogateescape")

    @cached_property
    def place(self) -> tuple[int, int]:
        """Its Redis ID as numbers. Of two entries of one stream, the earlier one has the lower ID."""
        return place(self.entry)

    @cached_property
    def id(self) -> str:
        return self._text("id")

    @cached_property
    def instance_id(self) -> str:
        return self._text("instance_id")

    @cached_property
    def status(self) -> str:
        return self._text("status")

    @cached_property
    def source_group(self) -> str:
        return self._text("source_group")

    @cached_property
    def destination_group(self) -> str:
        return self._text("destination_group")

    @property
    def text(self) -> str:
        return self._text("content")

    @cached_property
    def content(self) -> Any:
        return decode(self.raw("content") or b"")


@dataclass(eq=False)
class Outcome(NamedObject):
    """The outcome of a send."""

    status: str
    content: Any
    took: float
    at: float
    note: object | None = None

    PARTS = frozenset({"status", "content", "took", "at"})


@dataclass(eq=False)
class Send(NamedObject):
    """A request by the testee that runs in the background."""

    endpoint: Endpoint
    to: str
    content: Any
    """For a channel: the parts that the content must at least have."""
    at: float
    timeout: float | None
    call: str
    channel: bool = False
    entry: Written | None = None
    outcome: Outcome | None = None

    PARTS = frozenset({"at", "id", "entry", "instance_id"})

    def part(self, name: str) -> Any:
        if name in ("id", "entry", "instance_id"):
            if self.entry is None:
                raise BadValue("this request has not been written to the stream")
            return self.entry.part(name)
        return super().part(name)


@dataclass(eq=False)
class Received(NamedObject):
    """A request that a handler of the testee was started for."""

    endpoint: Endpoint
    request: str
    """Its handle in the testee protocol."""
    params: dict[str, Any]
    at: float
    taken: bool = False
    answered: bool = False
    """The runner has sent the testee the handler's next step."""
    cancelled: bool = False
    written: Written | None = None
    note: object | None = None

    PARTS = frozenset({"id", "content", "source", "instance", "entry", "at", "event", "params", "redelivered"})

    def part(self, name: str) -> Any:
        if name == "at":
            return self.at
        if name == "entry":
            return self.written.entry if self.written else ""
        if name == "params":
            return self.params.get("params")
        if name not in self.PARTS:
            return super().part(name)
        return self.params.get(name)

    @property
    def id(self) -> str:
        return str(self.params.get("id", ""))


@dataclass(eq=False)
class ErrorSeen(NamedObject):
    """The error that `on_error` got."""

    kind: str
    message: str
    fields: dict[str, Any]
    at: float
    taken: bool = False
    note: object | None = None

    PARTS = frozenset({"kind", "message", "fields", "at"})


@dataclass(eq=False)
class Mark(NamedObject):
    """A moment."""

    at: float

    PARTS = frozenset({"at"})


@dataclass(eq=False)
class Undo(NamedObject):
    """A fault, or another object that `lift` ends."""

    lift: Callable[[], None]
    fault: Fault | None = None
    at: float = 0.0

    PARTS = frozenset({"at"})


@dataclass(eq=False)
class Background(NamedObject):
    """Something that runs in the background: a serve, a background block, a call that no step waited for."""

    task: asyncio.Task[Any]
    stop: Callable[[], None]
    at: float = 0.0
    awaited: bool = False
    """The scenario depends on it: if it fails, the scenario cannot continue."""

    PARTS = frozenset({"at"})
