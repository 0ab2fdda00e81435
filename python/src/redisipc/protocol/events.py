"""What the core tells a runtime, and the two objects that both hold: a request sent and a request received."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class State(enum.Enum):
    """Where an endpoint is in its life."""

    NEW = "new"
    JOINING = "joining"
    UP = "up"
    DOWN = "down"
    CLOSING = "closing"
    CLOSED = "closed"


class Outgoing:
    """A request sent by this instance, from the call until its outcome.

    ``deadline`` is in the runtime's monotonic seconds; ``entry_id`` is the Redis entry ID once Redis told it.
    """

    __slots__ = ("data", "deadline", "destination", "entry_id", "floor", "id", "sent_at", "state", "text")

    def __init__(self, id: bytes, text: bytes, destination: str, sent_at: float, deadline: float) -> None:
        self.id = id
        self.text = text
        self.destination = destination
        self.sent_at = sent_at
        self.deadline = deadline
        self.entry_id: bytes | None = None
        self.floor: bytes = b"-"
        self.state: str = "queued"
        self.data: object = None

    def __repr__(self) -> str:
        return f"<Outgoing {self.id.decode()} to {self.destination!r} {self.state}>"


class Incoming:
    """A request that this instance holds, from reading it until it is answered, given back or gone.

    ``received_at`` is in monotonic seconds; ``age`` is seconds between Redis storing the entry and this instance reading it;
    ``starts`` counts this start and those before it; ``stranded``: its entry went with the stream, so that nobody else can have it.
    """

    __slots__ = (
        "age", "answer", "cancelled", "content", "data", "done", "entry_id", "id", "instance_id", "received_at",
        "redelivered", "source_group", "starts", "state", "stranded",
    )  # fmt: skip

    def __init__(
        self, entry_id: bytes, id: bytes, instance_id: bytes, source_group: bytes, content: bytes, received_at: float
    ) -> None:
        self.entry_id = entry_id
        self.id = id
        self.instance_id = instance_id
        self.source_group = source_group
        self.content = content
        self.received_at = received_at
        self.age = 0.0
        self.redelivered = False
        self.starts = 1
        self.cancelled = False
        self.stranded = False
        self.state: str = "queued"
        self.done = False
        self.answer: tuple[bytes, bytes, float] | None = None
        self.data: object = None

    def __repr__(self) -> str:
        return f"<Incoming {self.id!r} from {self.source_group!r} {self.state}>"


@dataclass(slots=True)
class Outcome:
    """How a request ended. ``status`` is fulfilled, rejected, timeout, cancelled, closed or failed; ``content`` the raw text."""

    status: str
    content: bytes | None = None
    reason: str = ""


class Event:
    """Base of what ``Endpoint.events()`` returns."""

    __slots__ = ()


@dataclass(slots=True)
class Start(Event):
    """Run the handler for this request now."""

    incoming: Incoming


@dataclass(slots=True)
class Cancelled(Event):
    """The handler of this request may stop: its requester gave up, or another member runs it."""

    incoming: Incoming
    reason: str


@dataclass(slots=True)
class Finished(Event):
    """A request that this instance sent has its outcome."""

    outgoing: Outgoing
    outcome: Outcome


@dataclass(slots=True)
class StateChanged(Event):
    """The endpoint changed its state; ``permanent`` when only the user can mend the reason (rights, wrong type)."""

    state: State
    reason: str = ""
    permanent: bool = False


@dataclass(slots=True)
class Problem(Event):
    """Something to report to ``on_error``: kind, message and, for an entry, its ID and raw fields."""

    kind: str
    message: str
    entry_id: bytes | None = None
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class Unblock(Event):
    """Make the blocked read return now (CLIENT UNBLOCK), or break its connection where that is not allowed."""


@dataclass(slots=True)
class Closed(Event):
    """Nothing more will be sent; close the connections."""
