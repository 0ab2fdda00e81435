"""The view that acts, faults and properties have of a move. The move imports them, so they do not import it."""

from __future__ import annotations

from typing import Any, Protocol

from .questions import Tables
from .state import Ask, Item, Seat, Trouble, Zombie


class WorkPort(Protocol):
    """A state that is being changed. Times are instants of the configuration, ``now`` is in seconds."""

    time: int
    now: float
    redis: int
    seats: list[Seat]
    asks: list[Ask]
    troubles: list[Trouble]
    script: list[Item]
    zombies: list[Zombie]
    faults: int
    holds: int
    up: bool

    @property
    def world(self) -> Tables: ...

    # the story, and what is found

    def tell(self, who: int | str, text: str) -> None: ...

    def name(self, entry: bytes, name: str) -> None: ...

    def breaks(self, name: str, text: str) -> None: ...

    def reached(self, what: str) -> None: ...

    # what happens

    def after(self, instants: int, kind: str, *about: Any) -> None: ...

    def trouble(self, member: int, kind: str, instants: int = 0) -> None: ...

    def call(self, member: int, *given: Any) -> None: ...

    def operate(self, who: str, commands: tuple[Any, ...]) -> None: ...

    def responded(self, entry: bytes, fields: tuple[bytes, ...]) -> None: ...

    def write(self, member: int) -> None: ...

    def hear_write(self, member: int) -> None: ...

    def hear_read(self, member: int) -> None: ...

    def lose_write(self, member: int, sent: bool = True) -> None: ...

    def lose_read(self, member: int) -> None: ...

    def may_lose(self, member: int) -> bool: ...
