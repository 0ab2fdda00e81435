"""The view that a world's parts have of it and of its processes. The world imports the parts, so they do not import it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from redisipc.protocol.commands import Batch, Command, Read
from redisipc.protocol.endpoint import Endpoint
from redisipc.protocol.events import Event, Incoming, Outcome, Outgoing

from .history import Ask, History, Process
from .plan import Plan
from .schedule import Schedule
from .server import Server


class SenderPort(Protocol):
    """A process that sends requests: a member, or a gem."""

    alive: bool
    record: Process

    def do(self, action: Callable[..., None], *arguments: Any) -> None: ...

    def pump(self) -> None: ...

    def send(self, ask: Ask) -> bool: ...


class HandlersPort(Protocol):
    running: int
    waiting: dict[int, tuple[Incoming, Ask]]

    def child_finished(self, child: Ask) -> None: ...

    def note_full(self) -> None: ...


class ActorPort(SenderPort, Protocol):
    """A process with an endpoint."""

    endpoint: Endpoint
    schedule: Schedule
    random: random.Random
    cut_off: bool
    sent: dict[int, Outgoing]

    @property
    def world(self) -> WorldPort: ...

    @property
    def handlers(self) -> HandlersPort: ...

    def start(self) -> None: ...

    def cancel(self, ask: Ask) -> None: ...

    def close(self, grace: float) -> None: ...

    # faults

    def crash(self, server_learns: float) -> None: ...

    def pause(self, seconds: float) -> None: ...

    def isolate(self, seconds: float, silently: bool) -> None: ...

    def spoil(self, fate: str, write: bool, only: str) -> None: ...

    def trouble(self, seconds: float, kind: str, text: str) -> None: ...

    def deafen(self) -> None: ...

    # its connections

    def slow_down(self, latency: float) -> None: ...

    def latency(self) -> float: ...

    def transfer(self, what: Any) -> float: ...

    def batch_done(self, batch: Batch, replies: list[Any]) -> None: ...

    def batch_lost(self, batch: Batch, sent: bool) -> None: ...

    def read_done(self, read: Read, answer: Any, transfer: float) -> None: ...

    def read_lost(self, read: Read) -> None: ...


class StoryPort(Protocol):
    def line(self, time: float, who: ActorPort | str | None, text: str, *keys: bytes) -> None: ...


class WatchPort(Protocol):
    members: dict[int, ActorPort]
    numbers: dict[tuple[bytes, bytes], int]

    def silence(self, ask: Ask, actor: ActorPort, entry_id: bytes) -> float: ...

    def closed(self, actor: ActorPort, reading: bool) -> None: ...

    def lost_by_then(self, group: bytes, time: float, faults: list[Any]) -> bool: ...


class FaultsPort(Protocol):
    def crash_one(self, actor: ActorPort, learns: float = 0.0) -> None: ...


class WorkloadPort(Protocol):
    def poison(self, actor: ActorPort) -> None: ...


class WorldPort(Protocol):
    plan: Plan
    random: random.Random
    schedule: Schedule
    history: History
    server: Server
    stream: bytes
    latency: float
    group_names: list[str]
    executing: int
    """The process, by number, whose commands Redis runs; -1 for anybody else."""
    rest_at: float

    @property
    def story(self) -> StoryPort | None: ...

    @property
    def watch(self) -> WatchPort: ...

    @property
    def faults(self) -> FaultsPort: ...

    @property
    def workload(self) -> WorkloadPort: ...

    @property
    def actors(self) -> Sequence[ActorPort]: ...

    @property
    def by_group(self) -> Mapping[str, Sequence[ActorPort]]: ...

    @property
    def gems(self) -> Sequence[SenderPort]: ...

    # what happens in it

    def join(self, group: str, responder: bool | None = None) -> None: ...

    def gone(self, actor: ActorPort) -> None: ...

    def operate(self, commands: list[Command]) -> list[Any]: ...

    # what processes report

    def finished(self, actor: ActorPort, outgoing: Outgoing, outcome: Outcome) -> None: ...

    def nested(self, actor: ActorPort, parent: Ask) -> Ask | None: ...

    def started(self, actor: ActorPort, ask: Ask, incoming: Incoming) -> None: ...

    def problem(self, actor: ActorPort, event: Event) -> None: ...

    # what the story tells

    def note(self, actor: ActorPort | None, text: str, batch: Batch | None = None) -> None: ...

    def wrote(self, actor: ActorPort, batch: Batch) -> None: ...

    def heard(self, actor: ActorPort, batch: Batch, replies: list[Any]) -> None: ...

    def read(self, actor: ActorPort, answer: Any) -> None: ...
