"""The events that the core gives a runtime, and two objects that both use: a request sent, and one received."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import ClassVar


class Record:
    """Instances with equal parts are equal; repr() shows the parts.

    Dataclasses would do the same and take a millisecond each to import.
    """

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class State(enum.Enum):
    """The states in the life of an endpoint."""

    NEW = "new"
    JOINING = "joining"
    UP = "up"
    DOWN = "down"
    CLOSING = "closing"
    CLOSED = "closed"


# Module constants, since each wake-up reads them often: Python 3.11 takes ten times as long to find a member in its
# class.
NEW, JOINING, UP, DOWN, CLOSING, CLOSED = State


class Outgoing:
    """A request sent by this instance, from the call until its outcome.

    ``deadline`` is in the runtime's monotonic seconds. ``entry_id`` is the Redis entry ID, once Redis has returned it.
    ``floor`` is an entry ID that was known when the request was written, so the request comes after it. ``refusal`` is
    the text of Redis, where it did not store the request.
    """

    __slots__ = ("data", "deadline", "destination", "entry_id", "floor", "id", "refusal", "sent_at", "state", "text")

    def __init__(self, id: bytes, text: bytes, destination: str, sent_at: float, deadline: float) -> None:
        self.id: bytes = id
        self.text: bytes = text
        self.destination: str = destination
        self.sent_at: float = sent_at
        self.deadline: float = deadline
        self.entry_id: bytes | None = None
        self.floor: bytes = b"-"
        self.refusal: str = ""
        self.state: str = "queued"
        self.data: object = None

    def __repr__(self) -> str:
        return f"<Outgoing {self.id.decode()} to {self.destination!r} {self.state}>"


class Incoming:
    """A request that this instance holds, from reading it until it is answered, given back or gone.

    ``received_at`` and ``kept_at`` are in monotonic seconds: since when this instance has it, and a moment before which Redis
    executed no delivery to us and no claim by us. ``age``: seconds between Redis storing the entry and this instance reading
    it. ``starts`` counts this start and those before it. ``attempts``: how often its answer could
    not be written, for a reason that may be the answer itself.
    ``closed``: rejected since its endpoint closed. ``stranded``: its entry is gone, so that nobody else can have it.
    """

    __slots__ = (
        "age", "answer", "attempts", "cancelled", "closed", "content", "data", "done", "entry_id", "id", "instance_id", "kept_at",
        "received_at", "redelivered", "source_group", "starts", "state", "stranded",
    )  # fmt: skip

    def __init__(
        self, entry_id: bytes, id: bytes, instance_id: bytes, source_group: bytes, content: bytes, received_at: float
    ) -> None:
        self.entry_id: bytes = entry_id
        self.id: bytes = id
        self.instance_id: bytes = instance_id
        self.source_group: bytes = source_group
        self.content: bytes = content
        self.received_at: float = received_at
        self.kept_at: float = received_at
        self.attempts: int = 0
        self.age: float = 0.0
        self.redelivered: bool = False
        self.starts: int = 1
        self.cancelled: bool = False
        self.closed: bool = False
        self.stranded: bool = False
        self.state: str = "queued"
        self.done: bool = False
        self.answer: tuple[bytes, bytes, float] | None = None
        self.data: object = None

    def __repr__(self) -> str:
        return f"<Incoming {self.id!r} from {self.source_group!r} {self.state}>"


class Outcome(Record):
    """How a request ended. ``content`` is the raw text.

    ``status`` is fulfilled, rejected, timeout, no responders, cancelled, closed or failed. ``diagnosis`` is a word that
    says why there is no answer, if that is known.
    """

    __slots__ = ("content", "diagnosis", "reason", "status")

    def __init__(
        self, status: str, content: bytes | None = None, reason: str = "", diagnosis: str | None = None
    ) -> None:
        self.status: str = status
        self.content: bytes | None = content
        self.reason: str = reason
        self.diagnosis: str | None = diagnosis


class Event(Record):
    """Base of what ``Endpoint.events()`` returns."""

    __slots__ = ()


class Start(Event):
    """Run the handler for this request now."""

    __slots__ = ("incoming",)

    def __init__(self, incoming: Incoming) -> None:
        self.incoming: Incoming = incoming


class Cancelled(Event):
    """The handler of this request may stop: its requester gave up, or another member runs it."""

    __slots__ = ("incoming", "reason")

    def __init__(self, incoming: Incoming, reason: str) -> None:
        self.incoming: Incoming = incoming
        self.reason: str = reason


class Finished(Event):
    """A request that this instance sent has its outcome."""

    __slots__ = ("outcome", "outgoing")

    def __init__(self, outgoing: Outgoing, outcome: Outcome) -> None:
        self.outgoing: Outgoing = outgoing
        self.outcome: Outcome = outcome


class StateChanged(Event):
    """The endpoint changed its state; ``permanent`` when only the user can repair the reason (rights, wrong type).

    ``told``: it is the same loss as the last one (RIPC-RECOV-14).
    """

    __slots__ = ("permanent", "reason", "state", "told")

    def __init__(self, state: State, reason: str = "", permanent: bool = False, told: bool = False) -> None:
        self.state: State = state
        self.reason: str = reason
        self.permanent: bool = permanent
        self.told: bool = told


class Problem(Event):
    """Something to report to ``on_error``: kind, message and, for an entry, its ID and raw fields."""

    __slots__ = ("entry_id", "fields", "kind", "message")

    def __init__(
        self,
        kind: str,
        message: str,
        entry_id: bytes | None = None,
        fields: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self.kind: str = kind
        self.message: str = message
        self.entry_id: bytes | None = entry_id
        self.fields: list[tuple[bytes, bytes]] = list(fields)


class Unblock(Event):
    """Make the blocked read return now: by CLIENT UNBLOCK, or, if that is not allowed, by breaking its connection."""

    __slots__ = ()


class Closed(Event):
    """Nothing more will be sent; close the connections."""

    __slots__ = ()
