"""Instances of a group: their consumers, their registration, their announcement, and when they last gave a sign of life."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from redisipc.protocol.announced import read
from redisipc.protocol.names import Names, instance_of

REGISTERED_FOR = 100.0
"""Seconds after which a registration that nobody refreshes expires (RIPC-LIFE-10)."""
LATE = 12.0
"""Seconds without a refresh from which on an instance counts as silent: it must refresh every 10 s (RIPC-LIFE-11)."""
UNUSED = 30.0
"""Seconds after which a consumer that nobody uses counts as dead (RIPC-LIFE-13)."""


class Consumer(NamedTuple):
    """One row of XINFO CONSUMERS; ``idle`` in seconds."""

    name: bytes
    pending: int
    idle: float


class Instance(NamedTuple):
    """``listed``: consumers in its availability list, None where there is no list. ``refreshed``: seconds since it was refreshed.

    ``idle``: seconds since one of its consumers was used, None where it has none. ``announced``: its announcement.
    """

    id: str
    consumers: list[Consumer]
    listed: list[str] | None
    refreshed: float | None
    announced: dict[str, Any] | None

    @property
    def idle(self) -> float | None:
        return min((each.idle for each in self.consumers), default=None) if self.consumers else None

    @property
    def pending(self) -> int:
        """Entries in its pending lists."""
        return sum(each.pending for each in self.consumers)

    @property
    def registered(self) -> bool:
        return self.listed is not None

    @property
    def seen(self) -> float | None:
        """Seconds since its last sign of life: a refresh of its list, or a use of its consumers."""
        signs = [each for each in (self.refreshed, self.idle) if each is not None]
        if self.registered and self.refreshed is not None:
            # Siblings use its consumers, too: the list is refreshed by itself alone.
            return self.refreshed
        return min(signs, default=None)

    @property
    def state(self) -> str:
        """``alive``, ``silent`` (registered, and nothing is heard of it) or ``gone`` (not registered, and not used)."""
        if self.registered:
            return "alive" if self.seen is not None and self.seen <= LATE else "silent"
        return "alive" if self.idle is not None and self.idle <= UNUSED else "gone"

    @property
    def alive(self) -> bool:
        return self.state == "alive"

    @property
    def serves(self) -> bool:
        """Whether it may run handlers (RIPC-VERS-7)."""
        roles = (self.announced or {}).get("roles")
        return not isinstance(roles, list) or "responder" in roles

    @property
    def label(self) -> str:
        """Which implementation it is."""
        told = self.announced
        if told is None:
            return "gem or other"
        return f"{told.get('implementation', '?')} {told.get('version', '?')} ({told.get('language', '?')})"

    def as_json(self) -> dict[str, Any]:
        told = self.announced or {}
        return {
            "instance": self.id,
            "state": self.state,
            "implementation": told.get("implementation"),
            "version": told.get("version"),
            "language": told.get("language"),
            "responder": self.serves,
            "seen_ms": None if self.seen is None else round(self.seen * 1000),
            "pending": self.pending,
        }


def commands_for(stream: str, group: str, ids: Iterable[str]) -> list[tuple[str | bytes | int, ...]]:
    """Three looks for each instance: its list, how long the list still lives, its announcement."""
    names = Names.of(stream, group, "")
    lines: list[tuple[str | bytes | int, ...]] = []
    for id in ids:
        listed = names.registration_of(id.encode())
        lines += [("LRANGE", listed, 0, -1), ("PTTL", listed), ("GET", names.announcement_of(id.encode()))]
    return lines


def instances_from(consumers: list[Consumer], replies: list[Any]) -> list[Instance]:
    """The instances of consumers, from the replies to ``commands_for`` of ``ids_of`` these consumers."""
    found = []
    for number, id in enumerate(ids_of(consumers)):
        listed, left, told = replies[3 * number : 3 * number + 3]
        own = [each for each in consumers if _id(each) == id]
        names = [name.decode("utf-8", "replace") for name in listed] if isinstance(listed, list) and listed else None
        refreshed = REGISTERED_FOR - left / 1000 if isinstance(left, int) and left >= 0 else None
        if refreshed is not None:
            refreshed = max(0.0, refreshed)
        found.append(Instance(id, own, names, refreshed if names else None, announcement(told)))
    return found


def ids_of(consumers: list[Consumer]) -> list[str]:
    """Each instance once, in the order of its first consumer."""
    return list(dict.fromkeys(id for each in consumers if (id := _id(each))))


def _id(consumer: Consumer) -> str:
    return (instance_of(consumer.name) or b"").decode("utf-8", "replace")


def announcement(told: Any) -> dict[str, Any] | None:
    """An announcement; None if there is none that version 1 can read (RIPC-VERS-4, RIPC-VERS-10)."""
    found = read(told) if isinstance(told, bytes) else {}
    return found if "spec" in found else None
