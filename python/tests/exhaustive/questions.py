"""The tables of one exploration, and what moves and properties ask of them."""

from __future__ import annotations

from collections import Counter

from redisipc.protocol.commands import Failure

from .configuration import Configuration
from .facts import GIVEN_BACK_HERE_MS, streams
from .member import Draw, Member, instance_id
from .memory import Memory
from .naming import Naming
from .server import EPOCH, Redis
from .state import ALIVE, NEVER, Moment
from .tables import RedisTable


class Tables:
    """Everything that states refer to by number. ``reached``: which faults and causes there were, and how often.

    ``early``: the state of Redis before anything was asked, to which a rewind goes back.
    """

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.table = RedisTable(Redis(configuration.profile, configuration.ages))
        self.memories = [self._memory(number) for number in range(len(configuration.places))]
        self.naming = Naming(len(configuration.places))
        self.nothing = self.table.reply([None])
        self.group = configuration.group.encode()
        self.reached: Counter[str] = Counter()
        self.early = 0
        self._rows: dict[tuple[int, int], list[tuple[bytes, int]]] = {}
        self._pending: dict[tuple[int, bytes], tuple[int, int]] = {}

    def _memory(self, number: int) -> Memory:
        place = self.configuration.places[number]
        settings = self.configuration.settings(place)
        return Memory(lambda: Member(settings, Draw(number, place.share, place.twin)))

    # of members

    def serves(self, member: int) -> bool:
        """Whether it belongs to the group that is asked."""
        return self.configuration.places[member].group == self.configuration.group

    def instance(self, member: int) -> bytes:
        return instance_id(member).encode()

    def leaves(self, moment: Moment, member: int) -> bool:
        return self.memories[member].views[moment.seats[member].state].state in ("closing", "closed")

    def sender(self, moment: Moment, id: bytes) -> int:
        """Who sent a request, NEVER where it was nobody here."""
        for member, seat in enumerate(moment.seats):
            if any(known == id for known, _ in self.memories[member].views[seat.state].sent):
                return member
        return NEVER

    def deadline(self, moment: Moment, id: bytes) -> int:
        """The instant of a request's deadline, NEVER where nobody here sent it."""
        for member, seat in enumerate(moment.seats):
            for known, due in self.memories[member].views[seat.state].sent:
                if known == id:
                    return self.configuration.moment(due)
        return NEVER

    def stood_still(self, moment: Moment, member: int, since: int) -> bool:
        return any(one.member == member and one.kind == "paused" and one.end >= since for one in moment.troubles)

    def somebody_free(self, moment: Moment) -> bool:
        """Whether a member of the group that is asked is well, and could start something."""
        for member, seat in enumerate(moment.seats):
            view = self.memories[member].views[seat.state]
            room = len(view.running) < self.configuration.places[member].options.get("concurrency", 16)
            well = seat.life == ALIVE and view.state == "up" and seat.paused == seat.away == NEVER
            if self.serves(member) and well and room:
                return True
        return False

    # of Redis

    def is_error(self, reply: int) -> bool:
        return isinstance(self.table.replies.values[reply][0], Failure)

    def pending(self, moment: Moment, entry: bytes) -> tuple[int, float]:
        """Who has an entry of the group pending (NEVER: nobody), and for how many seconds it has been idle."""
        key = (moment.redis, entry)
        found = self._pending.get(key)
        if found is None:
            found = self._pending[key] = self._look_up(moment.redis, entry)
        owner, since_ms = found
        if owner == NEVER:
            return NEVER, 0.0
        idle_ms = self._wall_ms(moment) - since_ms
        return owner, 0.0 if idle_ms >= GIVEN_BACK_HERE_MS else idle_ms / 1000

    def is_up(self, moment: Moment, member: int) -> bool:
        return self.memories[member].views[moment.seats[member].state].state == "up"

    def held(self, moment: Moment, member: int) -> list[tuple[bytes, float]]:
        """The entries that are pending for a member's dispatcher and were not given back, with its idle time in seconds."""
        dispatcher = b"dispatcher_%b_0" % self.instance(member)
        rows = self._rows.get((moment.redis, member))
        if rows is None:
            groups = [group for _, stream in streams(self.table.kept(moment.redis).data) for group in stream[3]]
            pending = [row for group in groups for row in group[2] if row[2] == dispatcher]
            rows = self._rows[moment.redis, member] = [(row[0], row[3]) for row in pending]
        wall_ms = self._wall_ms(moment)
        return [(id, (wall_ms - since) / 1000) for id, since in rows if wall_ms - since < GIVEN_BACK_HERE_MS]

    def _wall_ms(self, moment: Moment) -> float:
        return (moment.now + EPOCH + self.table.kept(moment.redis).offset) * 1000

    def _look_up(self, redis: int, entry: bytes) -> tuple[int, int]:
        for _, stream in streams(self.table.kept(redis).data):
            for name, _, pending, _ in stream[3]:
                for id, _, consumer, time, _ in pending:
                    if name == self.group and id == entry:
                        return self.naming.member_of(consumer), time
        return NEVER, 0

    def _lives(self, moment: Moment, id: bytes) -> bool:
        sender = self.sender(moment, id)
        return sender != NEVER and moment.seats[sender].life == ALIVE

    def left(self, moment: Moment) -> list[str]:
        """Entries left for groups of which a member lives, or pending in them, and of ended sends whose sender lives."""
        places = self.configuration.places
        alive = {places[member].group.encode() for member, seat in enumerate(moment.seats) if seat.life == ALIVE}
        show = self.naming.show
        found: list[str] = []
        for _, stream in streams(self.table.kept(moment.redis).data):
            for id, fields in stream[2]:
                given_up = any(ask.entry == id and ask.outcome and self._lives(moment, ask.id) for ask in moment.asks)
                if fields[11] in alive or given_up:
                    found.append(f"{show(id)} ({fields[5].decode()}) is left")
            for name, _, pending, _ in stream[3]:
                if name in alive:
                    found += [f"{show(row[0])} is left pending for {show(row[2])}" for row in pending]
        return found
