"""A driver without sockets: the core is recorded, transports are lists, connections open when the test says so."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Batch, Read, Step
from redisipc.protocol.events import Event, State, StateChanged
from redisipc.runtime.connection import Connection
from redisipc.runtime.driver import Driver
from redisipc.runtime.wire import RESP2


class RecordingEndpoint:
    """Stands in for ``Endpoint``: gives what the test put in, notes what it gets."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.reads: list[Read] = []
        self.queue: list[Event] = []
        self.calls: list[tuple[Any, ...]] = []
        self.due: float | None = None
        self.state = State.UP
        self.shared = self
        self.now = 0.0

    def events(self) -> list[Event]:
        queue, self.queue = self.queue, []
        return queue

    def next_batch(self, now: float) -> Batch | None:
        self.now = now
        return self.batches.pop(0) if self.batches else None

    def next_read(self, now: float) -> Read | None:
        return self.reads.pop(0) if self.reads else None

    def deadline(self) -> float | None:
        return self.due

    def wakeup_channels(self) -> list[bytes]:
        return [b"mine", b"ours"]

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, *arguments))

    def told(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]


class RecordingTransport:
    wire = RESP2

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False
        self.broken: Exception | None = None
        self.left = 0

    def unsent(self) -> int:
        return self.left

    def send(self, data: bytes) -> None:
        if self.broken is not None:
            raise self.broken
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True


class RecordingHost:
    """Notes what the driver says and asks for; ``open`` is answered by the test."""

    def __init__(self) -> None:
        self.opening: list[tuple[Connection, int]] = []
        self.events: list[tuple[Any, ...]] = []

    def open(self, connection: Connection, attempt: int) -> None:
        self.opening.append((connection, attempt))

    def start(self, incoming: Any) -> None:
        self.events.append(("start", incoming))

    def cancelled(self, incoming: Any, reason: str) -> None:
        self.events.append(("cancelled", incoming, reason))

    def finished(self, outgoing: Any, outcome: Any) -> None:
        self.events.append(("finished", outgoing, outcome))

    def problem(self, problem: Any) -> None:
        self.events.append(("problem", problem))

    def changed(self, event: StateChanged) -> None:
        self.events.append(("changed", event.state))

    def reads(self) -> None:
        self.events.append(("reads",))

    def closed(self) -> None:
        self.events.append(("closed",))


class Bench:
    """A driver with its doubles, and words to play the other side."""

    def __init__(self, wakeups: bool = False) -> None:
        self.endpoint, self.host = RecordingEndpoint(), RecordingHost()
        self.driver = Driver(self.endpoint, self.host, wakeups)  # type: ignore[arg-type]

    def batch(self, *commands: tuple[Any, ...], epoch: int = 0) -> Batch:
        batch = Batch([Step(list(commands), lambda replies, now: None)], epoch)
        self.endpoint.batches.append(batch)
        return batch

    def read(self, epoch: int = 0) -> Read:
        read = Read(("XREADGROUP",), 5.0, epoch)
        self.endpoint.reads.append(read)
        return read

    def open(self) -> RecordingTransport:
        """The connection that was asked for stands."""
        connection, attempt = self.host.opening.pop(0)
        transport = RecordingTransport()
        self.driver.opened(connection, attempt, transport, 0.0)
        return transport
