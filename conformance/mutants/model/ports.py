"""What the parts of one endpoint know of each other: each stands in a file of its own, and imports none of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from .breakers import Breakers
from .options import Options
from .request import Request
from .resp import Command, Connection, RedisError
from .send import Send
from .wire import Entry, Names


class Kept(Protocol):
    """An entry of this instance: a request in progress, or a response in its grace."""

    entry_id: bytes
    claimed: float
    """When it was delivered or claimed the last time, in the loop's seconds."""
    starts: int

    def lost(self, acknowledge: bool) -> None:
        """Another member has it, or its body is gone."""


class RequesterPort(Protocol):
    outstanding: dict[bytes, Send]
    asked: set[bytes]

    def knows(self, entry: Entry) -> bool: ...

    def response(self, entry: Entry) -> None: ...

    def deliver_anyhow(self, entry: Entry) -> None: ...

    def unanswered_for(self, seconds: float) -> bool: ...


class ResponderPort(Protocol):
    held: dict[bytes, Request]
    running: int
    changed: asyncio.Event

    @property
    def room(self) -> int: ...

    @property
    def answers_refused(self) -> bool: ...

    def take(
        self,
        entry: Entry,
        starts: int = 1,
        redelivered: bool = False,
        delivered: float | None = None,
        first: bool = False,
    ) -> None: ...

    def refuse(self, entry: Entry, reason: str) -> None: ...

    def gone(self, request: Request) -> None: ...

    def start_more(self) -> None: ...

    def when_room(self, call: Callable[[], None]) -> None: ...

    async def decide_unsure(self) -> None: ...


class ClaimsPort(Protocol):
    looking: bool
    offset: float
    breakers: Breakers

    def redis_time(self) -> float: ...

    def hold(self, given_back: bool) -> None: ...

    async def body(self, id: bytes) -> Any: ...

    async def claim_again(self) -> None: ...

    def give_back(self, requests: list[Request]) -> None: ...

    async def write_back(self, ids: list[bytes], min_idle: int = 0, responses: bool = False) -> str: ...

    def room_again(self) -> None: ...

    def woken(self) -> None: ...


class GroupPort(Protocol):
    siblings: set[bytes]
    responding: set[bytes]

    async def find_siblings(self) -> None: ...

    async def look_up(self, instance: bytes) -> tuple[Any, bool]: ...

    async def register(self) -> None: ...

    async def register_late(self) -> None: ...

    async def fresh(self) -> None: ...

    async def poll(self) -> None: ...


class KeepingPort(Protocol):
    def in_progress(self) -> list[Kept]: ...

    async def keep(self, kept: Sequence[Kept], look: bool = False) -> None: ...

    async def look(self, kept: Sequence[Kept]) -> list[tuple[Kept, float]]: ...

    async def is_ours(self, item: Kept) -> bool: ...


class RelayPort(Protocol):
    @property
    def graces(self) -> Mapping[bytes, Kept]: ...

    async def hand_over(self, entry_id: bytes, instance: bytes) -> None: ...


class CleaningPort(Protocol):
    acknowledge: set[bytes]

    async def clean_now(self) -> str | None: ...


class EndpointPort(Protocol):
    """The endpoint as its parts see it."""

    url: str
    options: Options
    names: Names
    report: Callable[[str, str, dict[str, str]], None]
    reader: Connection | None
    up: asyncio.Event
    closing: bool
    closed: bool
    last_read: bytes
    refused_until: float
    written: float

    @property
    def requester(self) -> RequesterPort: ...

    @property
    def responder(self) -> ResponderPort: ...

    @property
    def claims(self) -> ClaimsPort: ...

    @property
    def group(self) -> GroupPort: ...

    @property
    def keeping(self) -> KeepingPort: ...

    @property
    def relay(self) -> RelayPort: ...

    @property
    def cleaning(self) -> CleaningPort: ...

    @property
    def connected_for(self) -> float: ...

    def rename(self) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...

    async def write(self, *commands: Command) -> list[Any]: ...

    async def transaction(self, *commands: Command) -> list[Any] | RedisError: ...

    def wrote_at(self, sent: float) -> None: ...

    def noticed(self, error: RedisError) -> None: ...

    def group_gone(self) -> None: ...

    def settle(self, acknowledge: bytes | None = None, delete: bytes | None = None) -> None: ...
