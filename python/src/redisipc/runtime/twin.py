"""The side of a twin that its driver calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from redisipc.protocol.events import Incoming, Outcome, Outgoing, Problem, StateChanged

from .connection import Connection


class Host(Protocol):
    """The functions that a driver needs of the twin that drives it. None of these may wait."""

    def open(self, connection: Connection, attempt: int) -> None: ...

    def start(self, incoming: Incoming) -> None: ...

    def cancelled(self, incoming: Incoming, reason: str) -> None: ...

    def finished(self, outgoing: Outgoing, outcome: Outcome) -> None: ...

    def problem(self, problem: Problem) -> None: ...

    def changed(self, event: StateChanged) -> None: ...

    def reads(self) -> None: ...

    def closed(self) -> None: ...

    def started(self) -> Iterable[Incoming]: ...

    def mended(self, now: float) -> None: ...
