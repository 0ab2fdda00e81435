"""The data of the model: a stream, its groups, their consumers and pending entries."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

Key = tuple[int, int]
LAST_PART = (1 << 64) - 1
LAST_KEY: Key = (LAST_PART, LAST_PART)
ZERO: Key = (0, 0)


def show(key: Key) -> bytes:
    return b"%d-%d" % key


class Pending:
    """One entry of a group's pending list. ``time`` is the server's wall clock in milliseconds.

    ``alive`` is not in a real server: the moment of the last delivery to its owner or claim by its owner, in seconds of
    a clock that never steps.
    """

    __slots__ = ("alive", "consumer", "count", "id", "key", "time")

    def __init__(self, id: bytes, key: Key, consumer: Consumer, time: int, count: int, alive: float = 0.0) -> None:
        self.alive: float = alive
        self.id: bytes = id
        self.key: Key = key
        self.consumer: Consumer = consumer
        self.time: int = time
        self.count: int = count


def _by_key(pending: Pending) -> Key:
    return pending.key


class Consumer:
    """``seen`` and ``active`` are wall-clock milliseconds, ``active`` -1 before the first entry."""

    __slots__ = ("active", "name", "pending", "seen")

    def __init__(self, name: bytes, now: int) -> None:
        self.name: bytes = name
        self.seen: int = now
        self.active: int = -1
        self.pending: dict[bytes, Pending] = {}

    def in_order(self) -> list[Pending]:
        return sorted(self.pending.values(), key=_by_key)


class Group:
    """A consumer group: ``last`` is the last delivered ID."""

    __slots__ = ("consumers", "last", "name", "pending")

    def __init__(self, name: bytes, last: Key) -> None:
        self.name: bytes = name
        self.last: Key = last
        self.pending: dict[bytes, Pending] = {}
        self.consumers: dict[bytes, Consumer] = {}

    def in_order(self) -> list[Pending]:
        return sorted(self.pending.values(), key=_by_key)

    def give(self, id: bytes, key: Key, consumer: Consumer, now: int, alive: float = 0.0) -> None:
        """Delivered as new. If it was pending already (the group was set back), it starts again."""
        if id in self.pending:
            self.drop(id)
        self.pending[id] = consumer.pending[id] = Pending(id, key, consumer, now, 1, alive)

    def move(self, pending: Pending, consumer: Consumer) -> None:
        if pending.consumer is not consumer:
            del pending.consumer.pending[pending.id]
            pending.consumer = consumer
            consumer.pending[pending.id] = pending

    def drop(self, id: bytes) -> bool:
        pending = self.pending.pop(id, None)
        if pending is None:
            return False
        del pending.consumer.pending[id]
        return True

    def copy(self) -> Group:
        twin = Group(self.name, self.last)
        for consumer in self.consumers.values():
            other = Consumer(consumer.name, consumer.seen)
            other.active = consumer.active
            twin.consumers[consumer.name] = other
        for id, pending in self.pending.items():
            owner = twin.consumers[pending.consumer.name]
            twin.pending[id] = owner.pending[id] = Pending(
                id, pending.key, owner, pending.time, pending.count, pending.alive
            )
        return twin


class Stream:
    """Entries in the order of their IDs. Deleted ones stay in the index until most of it is holes."""

    __slots__ = ("_ids", "_keys", "bodies", "groups", "last")

    def __init__(self) -> None:
        self.bodies: dict[bytes, list[bytes]] = {}
        self.groups: dict[bytes, Group] = {}
        self.last: Key = ZERO
        self._keys: list[Key] = []
        self._ids: list[bytes] = []

    def add(self, key: Key, fields: list[bytes]) -> bytes:
        id = b"%d-%d" % key
        self.last = key
        self.bodies[id] = fields
        keys = self._keys
        keys.append(key)
        self._ids.append(id)
        if len(keys) > 256 and len(keys) > 2 * len(self.bodies):
            self._compact()
        return id

    def _compact(self) -> None:
        alive = [(key, id) for key, id in zip(self._keys, self._ids, strict=True) if id in self.bodies]
        self._keys = [key for key, _ in alive]
        self._ids = [id for _, id in alive]

    def delete(self, id: bytes) -> bool:
        return self.bodies.pop(id, None) is not None

    def between(self, start: Key, end: Key) -> Iterator[tuple[bytes, Key, list[bytes]]]:
        """Entries from ``start`` to ``end``, both included."""
        bodies, ids, keys = self.bodies, self._ids, self._keys
        low = bisect_left(keys, start)
        high = len(keys) if end >= self.last else bisect_right(keys, end)
        for index in range(low, high):
            id = ids[index]
            body = bodies.get(id)
            if body is not None:
                yield id, keys[index], body

    def after(self, key: Key, count: int) -> list[tuple[bytes, Key, list[bytes]]]:
        """Up to ``count`` entries after ``key`` (0: all)."""
        if key >= self.last:
            return []
        found: list[tuple[bytes, Key, list[bytes]]] = []
        bodies, ids, keys = self.bodies, self._ids, self._keys
        first = bisect_right(keys, key)
        if first == len(keys) - 1:
            # The usual case: only the newest one, for a waiting reader.
            body = bodies.get(ids[first])
            return [] if body is None else [(ids[first], keys[first], body)]
        for index in range(first, len(keys)):
            id = ids[index]
            body = bodies.get(id)
            if body is not None:
                found.append((id, keys[index], body))
                if len(found) == count:
                    break
        return found

    def trim_below(self, key: Key) -> int:
        gone = [id for id, _, _ in self.between(ZERO, LAST_KEY) if _key_of(id) < key]
        for id in gone:
            del self.bodies[id]
        return len(gone)

    def trim_to(self, most: int) -> int:
        """Keep the last ``most`` entries. Returns how many are deleted."""
        gone = [id for id, _ in zip(self.bodies, range(len(self.bodies) - most), strict=False)]
        for id in gone:
            del self.bodies[id]
        return len(gone)

    def copy(self) -> Stream:
        """A copy, as on a replica. Bodies are shared, since they never change."""
        twin = Stream()
        twin.bodies = dict(self.bodies)
        twin.last = self.last
        twin._keys = list(self._keys)
        twin._ids = list(self._ids)
        twin.groups = {name: group.copy() for name, group in self.groups.items()}
        return twin


def _key_of(id: bytes) -> Key:
    ms, _, sequence = id.partition(b"-")
    return int(ms), int(sequence)
