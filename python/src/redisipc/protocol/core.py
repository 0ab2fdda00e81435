"""What the parts of the core share: names, settings, the outbox, the events, the server's clock and the state."""

from __future__ import annotations

import random

from .commands import Failure, Step
from .events import NEW, Event, Incoming, Problem
from .names import Names
from .outbox import Outbox
from .settings import Settings
from .states import advance


class Core:
    """Shared by the parts of one endpoint; ``Endpoint`` makes it and the parts."""

    def __init__(self, settings: Settings, source: random.Random, names: Names) -> None:
        self.settings = settings
        self.random = source
        self.names = names
        self.outbox = Outbox(names, settings)
        self.queue: list[Event] = []
        self.state = NEW
        self.inflight: dict[bytes, Incoming] = {}
        self.server_offset = 0.0
        self.server_version: tuple[int, int] = (0, 0)
        self.last_read: bytes = b"$"
        self.now = 0.0
        self.up_since = 0.0
        self.failure: Failure | None = None
        self.listening = False
        self.write_blocked_until = 0.0
        self.answers_refused = False
        self.trouble = ""
        self._refusal = ""

    def without(self, rule: str) -> bool:
        return rule in self.settings.without

    def emit(self, event: Event) -> None:
        self.queue.append(event)

    def problem(self, kind: str, message: str, entry_id: bytes | None = None) -> None:
        self.queue.append(Problem(kind, message, entry_id))

    def step(self, step: Step) -> None:
        self.outbox.steps.append(step)

    def gone(self, incoming: Incoming, event: str = "gone") -> None:
        """A request is no longer ours: deleted, taken over, or by another event that ends in that state."""
        advance(incoming, event)
        self.inflight.pop(incoming.entry_id, None)

    def fail(self, failure: Failure) -> None:
        """An error reply that concerns the whole endpoint; ``Endpoint`` looks at it after each batch."""
        if self.failure is None:
            self.failure = failure

    def refused(self, failure: Failure, now: float) -> None:
        """Redis takes no writes now, which passes: nothing is written for a moment. Told once, until a write is taken again."""
        self.write_blocked_until = max(self.write_blocked_until, now + 0.2)
        if self._refusal != failure.kind:
            self._refusal = failure.kind
            self.problem("refused", f"Redis takes no writes, trying again: {failure.message}")

    def taken(self) -> None:
        """Redis took a write."""
        self._refusal = ""

    def server_clock(self, now: float) -> float:
        """Redis' wall clock in seconds, as last seen."""
        return now + self.server_offset

    def saw_id(self, entry_id: bytes, now: float) -> None:
        """An entry ID that Redis made just now tells its clock."""
        self.server_offset = int(entry_id.partition(b"-")[0]) / 1000 - now

    @property
    def deletes_pending_bodies(self) -> bool:
        """Redis 7 and Valkey drop a deleted entry from the reply of XCLAIM ... JUSTID; 6.2, or one unknown, needs a look."""
        return self.server_version >= (7, 0)
