"""The acts of the server for each request: stored, claimed, deleted; and when its owner last showed a sign of life."""

from __future__ import annotations

from typing import NamedTuple

from redisipc.protocol.closing import LEAVE_LIMIT
from redisipc.protocol.commands import GIVEN_BACK_FROM_MS
from redisipc.protocol.events import State
from redisipc.protocol.names import Names, instance_of
from redisipc.testing.redis_model.data import Group, Pending, Stream
from redisipc.testing.redis_model.model import Observer

from .history import Ask, Move, Reply, Trouble
from .ports import ActorPort, WorldPort

CONNECTED_BEFORE_DELETE = 99.0
"""Seconds for which a member has to be connected before it deletes another's consumer."""
LOOKED_BEFORE_DELETE = 4.0
"""Seconds for which the look that precedes a deletion may be old (3 s: RIPC-LIFE-23), the way to Redis included."""
REFRESHED = 31.0
"""Seconds since the last refresh within which requests are written, the way to Redis included."""
RESTORED = 2.0
"""Seconds after which what went with a deleted consumer is pending again, or settled."""
KEPT = 7.0
"""Seconds for which nothing that is kept alive is left alone."""


class Made(NamedTuple):
    """A group was made: when, behind which entry, and by which process (-1: by none)."""

    time: float
    last: tuple[int, int]
    by: int


class Watch(Observer):
    """Writes it into the history. ``numbers``: processes by the group and the instance that they have, or had last.

    ``claimed_from``: when an entry was last claimed from a consumer, by its group and name. ``had_to_stay``: consumers that
    their members could not delete as they left.
    """

    def __init__(self, world: WorldPort) -> None:
        self.world = world
        self.by_entry: dict[bytes, Ask] = {}
        self.by_reply: dict[bytes, Ask] = {}
        self.members: dict[int, ActorPort] = {}
        self.made_at: dict[bytes, list[float]] = {}
        self.made_from: dict[bytes, list[Made]] = {}
        self.numbers: dict[tuple[bytes, bytes], int] = {}
        self.claimed_from: dict[tuple[bytes, bytes], float] = {}
        self.had_to_stay: set[tuple[bytes, bytes]] = set()

    def added(self, id: bytes, fields: list[bytes]) -> None:
        ask = self.world.history.by_id.get(fields[1])
        if ask is None:
            return
        now = self.world.schedule.now
        if fields[5] == b"pending":
            ask.copies += 1
            if ask.entry_id is None:
                ask.entry_id, ask.stored_at = id, now
                ask.second_hand = id in self.by_entry
            self.by_entry[id] = ask
            self._registered(ask)
        else:
            ask.replies.append(Reply(now, id, self.world.executing))
            self.by_reply[id] = ask

    def _registered(self, ask: Ask) -> None:
        """Who writes a request knows that its list is there, so that its response can be handed to it (RIPC-LIFE-27)."""
        actor = self.members.get(ask.sender)
        if actor is not None:
            age = self.world.schedule.now - actor.endpoint.wiring.registration.refreshed_at
            if age > REFRESHED:
                self.world.history.violation("RIPC-LIFE-27", f"was written {age:.1f} s after the last refresh", ask)

    def deleted(self, id: bytes) -> None:
        ask = self.by_entry.get(id)
        if ask is not None and ask.deleted_at is None and ask.entry_id == id:
            ask.deleted_at = self.world.schedule.now
            self._note_sign(ask)

    def made(self, group: bytes) -> None:
        now = self.world.schedule.now
        self.made_at.setdefault(group, []).append(now)
        stream = self.world.server.model.keys[self.world.stream]
        if isinstance(stream, Stream):
            self.made_from.setdefault(group, []).append(Made(now, stream.groups[group].last, self.world.executing))

    def lost_by_then(self, group: bytes, time: float, faults: list[Trouble]) -> bool:
        """Whether what was stored at a moment went with its group, or came while the group was gone (G8, printed)."""
        made = self.made_at.get(group, [])
        for fault in faults:
            if fault.of not in ("", group.decode()):
                continue
            again = next((at for at in made if at > fault.start), float("inf"))
            if time <= max(fault.end, again):
                return True
        return False

    def dropped(self, group: bytes, consumer: bytes, pending: list[bytes]) -> None:
        """By a port: only of an instance that is gone, and what goes with it is restored or settled."""
        if self.world.executing < 0:
            return
        number = self.number_of(group, consumer)
        owner = self.world.history.processes[number] if number is not None else None
        deleter = self.world.history.processes[self.world.executing]
        soon = self.world.schedule.now - deleter.connected_at < CONNECTED_BEFORE_DELETE
        if owner is not deleter and (soon or self._was_there(number, group, consumer)):
            self.world.history.violation("RIPC-LIFE-23", f"consumer {consumer.decode()} is deleted too early")
        if pending:
            self.world.schedule.after(RESTORED, self._restored, group, pending, self.world.executing)

    def closed(self, actor: ActorPort, reading: bool) -> None:
        """Its member has left: a consumer stays that something is pending for, or that a read under way may bring something.

        What was pending as the member looked may have been claimed by now.
        """
        names = actor.endpoint.shared.names
        stream = self.world.server.model.keys.get(self.world.stream)
        group = stream.groups.get(names.group) if isinstance(stream, Stream) else None
        holders = {pending.consumer.name for pending in group.pending.values()} if group is not None else set()
        for name in (names.dispatcher, names.consumer):
            claimed = self.claimed_from.get((names.group, name), 0.0)
            if reading or name in holders or claimed >= self.world.schedule.now - LEAVE_LIMIT:
                self.had_to_stay.add((names.group, name))

    def _was_there(self, number: int | None, group: bytes, consumer: bytes) -> bool:
        """Whether its instance is registered, and was when the deleter looked: it may just be back."""
        actor = self.members.get(-1 if number is None else number)
        if actor is None or not self._is_registered(group, consumer):
            return False
        since = self.world.schedule.now - actor.record.connected_at
        return actor.endpoint.state is State.UP and since > LOOKED_BEFORE_DELETE

    def _is_registered(self, group: bytes, consumer: bytes) -> bool:
        names = Names(self.world.stream, group, b"")
        return bool(self.world.server.model.keys.get(names.registration_of(instance_of(consumer) or b"")))

    def _restored(self, group: bytes, pending: list[bytes], number: int) -> None:
        deleter = self.world.history.processes[number]
        stream = self.world.server.model.keys.get(self.world.stream)
        found = stream.groups.get(group) if isinstance(stream, Stream) else None
        now = self.world.schedule.now
        if stream is None or found is None or deleter.trouble_in(now - RESTORED, now) or deleter.crashed_at is not None:
            return
        for id in pending:
            if id in stream.bodies and id not in found.pending:
                self.world.history.violation(
                    "RIPC-LIFE-25", f"{id.decode()} went with a consumer and is pending nowhere"
                )

    def _keeps(self, pending: Pending, group: bytes) -> None:
        """A response that waits for its instance is nobody's to reclaim while its holder lives (RIPC-ROUTE-16)."""
        number = self.number_of(group, pending.consumer.name)
        now = self.world.schedule.now
        if (
            number is None
            or now - pending.alive < KEPT
            or self.world.server.wall() - pending.time >= GIVEN_BACK_FROM_MS
        ):
            return
        history = self.world.history
        if history.processes[number].was_well(pending.alive, now) and not history.redis_fault(pending.alive, now):
            history.violation("RIPC-ROUTE-16", f"{pending.id.decode()} was left alone for {now - pending.alive:.1f} s")

    def moved(self, group: bytes, pending: Pending, consumer: bytes) -> None:
        if consumer != pending.consumer.name:
            self.claimed_from[group, pending.consumer.name] = self.world.schedule.now
        if pending.id in self.by_reply and pending.consumer.name.startswith(b"dispatcher_"):
            self._keeps(pending, group)
        ask = self.by_entry.get(pending.id)
        if ask is None or ask.destination.encode() != group:
            return
        before, after = self.number_of(group, pending.consumer.name), self.number_of(group, consumer)
        if before == after and before is not None:
            return
        now = self.world.schedule.now
        given_back = self.world.server.wall() - pending.time >= GIVEN_BACK_FROM_MS
        ask.moves = ask.moves or []
        ask.moves.append(Move(now, before, after, now - pending.alive, given_back))

    def silence(self, ask: Ask, actor: ActorPort, entry_id: bytes) -> float:
        """Seconds since the last delivery to this process or claim by it; 0 where nothing is known of one."""
        now, number = self.world.schedule.now, actor.record.number
        pending = self._pending(ask, entry_id)
        if pending is not None and self.number_of(ask.destination.encode(), pending.consumer.name) == number:
            return now - pending.alive
        for move in reversed(ask.moves or []):
            if move.before == number:
                return now - move.time + move.silence
        return 0.0

    def note_signs(self) -> None:
        """All is over: what is pending now stays so."""
        for ask in self.world.history.asks:
            if ask.deleted_at is None and ask.stored_at is not None:
                self._note_sign(ask)

    def _note_sign(self, ask: Ask) -> None:
        assert ask.entry_id is not None
        pending = self._pending(ask, ask.entry_id)
        if pending is not None:
            ask.last_sign = pending.alive

    def _pending(self, ask: Ask, entry_id: bytes) -> Pending | None:
        stream = self.world.server.model.keys.get(self.world.stream)
        group: Group | None = stream.groups.get(ask.destination.encode()) if isinstance(stream, Stream) else None
        return None if group is None else group.pending.get(entry_id)

    def number_of(self, group: bytes, consumer: bytes) -> int | None:
        """The process whose consumer this is, None for one of nobody known."""
        return self.numbers.get((group, instance_of(consumer) or b""))
