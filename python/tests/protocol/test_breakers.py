"""Bodies that break the connection when they are read: read last, each alone, after pauses that grow (RIPC-RECOV-28)."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.breakers import LONGEST_PAUSE, Breakers
from redisipc.protocol.commands import Command
from redisipc.protocol.entry import build

from ..support_core import Hand

BAD, GOOD, ALSO = b"1-0", b"2-0", b"3-0"


def read(*ids: bytes) -> list[Command]:
    return [("XRANGE", b"s", id, id) for id in ids]


def fresh() -> tuple[Breakers, list[tuple[bytes, int]]]:
    told: list[tuple[bytes, int]] = []
    return Breakers((), lambda entry, times: told.append((entry, times))), told


def test_what_was_read_together_when_the_connection_broke_is_read_alone() -> None:
    breakers, _ = fresh()
    breakers.broke(read(BAD, GOOD), 1.0)
    assert breakers.trusted((BAD, GOOD, ALSO)) == [ALSO]
    assert breakers.alone((BAD, GOOD, ALSO), 1.0) == [BAD, GOOD]


def test_what_came_is_trusted_again() -> None:
    breakers, _ = fresh()
    breakers.broke(read(BAD, GOOD), 1.0)
    breakers.came(read(GOOD))
    assert breakers.trusted((BAD, GOOD)) == [GOOD]


def test_pauses_grow_while_it_breaks_alone_and_have_a_bound() -> None:
    breakers, told = fresh()
    now, pauses = 0.0, []
    for _ in range(40):
        breakers.broke(read(BAD), now)
        breakers.later([BAD])
        assert breakers.alone([BAD], breakers.due - 0.01) == []
        assert breakers.alone([BAD], breakers.due) == [BAD]
        pauses.append(breakers.due - now)
        now = breakers.due
    assert pauses[:6] == [2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert told == [(BAD, 2)]


def test_what_broke_least_often_is_read_first() -> None:
    breakers, _ = fresh()
    breakers.broke(read(BAD), 0.0)
    breakers.broke(read(GOOD, ALSO), 0.0)
    assert breakers.alone((BAD, GOOD, ALSO), 10.0) == [GOOD, ALSO, BAD]


def test_a_body_that_was_read_before_is_not_suspected() -> None:
    breakers = Breakers({GOOD}, lambda _id, _times: None)
    breakers.broke(read(GOOD), 0.0)
    assert not breakers


def test_no_more_than_a_thousand_are_remembered() -> None:
    breakers, _ = fresh()
    ids = [b"%d-0" % n for n in range(5000)]
    breakers.broke(read(*ids), 0.0)
    assert len(breakers.trusted(ids)) == 4000


class Limited(Hand):
    """An endpoint behind a limit: a batch that reads the body of ``bad`` breaks the connection."""

    def __init__(self, *bad: bytes, **options: Any) -> None:
        super().__init__(**options)
        self.bad = {*bad}
        self.breaks: list[float] = []

    def write(self) -> Any:
        batch = self.endpoint.next_batch(self.now)
        if batch is None:
            return None
        self.sent += batch.commands
        if any(self.breaks_it(command) for command in batch.commands):
            self.breaks.append(self.now)
            self.endpoint.batch_lost(batch, True, "connection lost", self.now)
        else:
            self.endpoint.batch_done(batch, self.answers(batch), self.now)
        self.drain()
        return batch

    def breaks_it(self, command: Command) -> bool:
        if command[0] == "XREADGROUP" and command[3] == self.endpoint.shared.names.consumer:
            return any(id in self.bad and owner == command[3] for id, owner in self.lists)
        return command[0] == "XRANGE" and command[2] in self.bad

    lists: tuple[tuple[bytes, bytes], ...] = ()
    """The pending entries, each with its consumer."""

    def pending_of(self, command: Command) -> list[Any]:
        if command[3] == "IDLE":
            return []
        return [[id, owner, 10, 1] for id, owner in self.lists if len(command) < 7 or command[6] == owner]


def entry(id: bytes, command: Command) -> list[Any]:
    return (
        [[id, list(build(id.ljust(21, b"r"), b"peer01", b"pending", b"1", b"peer", b"web"))]]
        if command[2] == id
        else []
    )


def test_others_start_beside_an_entry_that_breaks_each_read() -> None:
    hand = Limited(BAD).up()
    dispatcher = hand.endpoint.shared.names.dispatcher
    hand.lists = ((BAD, dispatcher), (GOOD, dispatcher), (ALSO, dispatcher))
    hand.special["XPENDING"] = hand.pending_of
    hand.special["XRANGE"] = lambda command: entry(GOOD, command) or entry(ALSO, command)
    lost = hand.endpoint.next_read(hand.now)
    assert lost is not None
    hand.endpoint.read_lost(lost, "connection lost", hand.now)
    began = hand.now
    hand.pass_time(6.5)
    assert [start.incoming.entry_id for start in hand.started()] == [GOOD, ALSO]
    assert hand.endpoint.state.name == "UP"
    # Together with the others, then alone: at once, after 2 s and after 4 s more.
    assert len(hand.breaks) == 4
    assert hand.breaks[1] < began + 1.0
    assert [event.entry_id for event in hand.events if getattr(event, "kind", "") == "unreadable"] == [BAD]


def test_it_is_settled_when_its_requester_has_given_it_up() -> None:
    hand = Limited(BAD).up()
    hand.lists = ((BAD, hand.endpoint.shared.names.dispatcher),)
    hand.special["XPENDING"] = hand.pending_of
    lost = hand.endpoint.next_read(hand.now)
    assert lost is not None
    hand.endpoint.read_lost(lost, "connection lost", hand.now)
    hand.pass_time(1.0)
    assert len(hand.breaks) == 1
    hand.bad.clear()
    hand.pass_time(2.0)
    assert ("XACK", b"s", b"web", BAD) in hand.sent
    assert len(hand.breaks) == 1


def test_a_look_for_what_was_given_up_ends_though_it_breaks_each_connection() -> None:
    hand = Limited().up()
    outgoing = hand.endpoint.send(b"1", "peers", 30.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "connection lost", hand.now)
    hand.breaks_it = lambda command: command[0] == "XRANGE" and "COUNT" in command  # type: ignore[method-assign]
    hand.endpoint.cancel(outgoing, hand.now)
    hand.pass_time(60.0)
    assert len(hand.breaks) == 3
    assert hand.endpoint.state.name == "UP"


def test_a_look_leaves_out_a_body_that_broke_a_connection_alone() -> None:
    hand = Limited().up()
    hand.endpoint.shared.breakers.broke(read(b"8-0"), hand.now)
    outgoing = hand.endpoint.send(b"1", "peers", 30.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "connection lost", hand.now)
    hand.endpoint.cancel(outgoing, hand.now)
    outgoing.floor = b"7-0"
    hand.pass_time(5.0)
    looks = [command[2:4] for command in hand.sent if command[0] == "XRANGE" and "COUNT" in command]
    assert looks == [(b"(7-0", b"(8-0"), (b"(8-0", "+")]


def test_a_response_that_breaks_the_own_list_is_moved_to_where_each_is_read_alone() -> None:
    hand = Limited(BAD).up()
    names = hand.endpoint.shared.names
    hand.lists = ((BAD, names.consumer), (GOOD, names.consumer))
    hand.special["XPENDING"] = hand.pending_of
    outgoing = hand.endpoint.send(b"1", "peers", 30.0, hand.now, b"a" * 21)
    good = list(build(outgoing.id, names.instance, b"fulfilled", b"7", b"peers", b"web"))
    hand.special["XRANGE"] = lambda command: [[GOOD, good]] if command[2] == GOOD else []

    def claimed(command: Command) -> list[Any]:
        if command[3] == names.dispatcher and BAD in command:
            hand.lists = tuple((id, names.dispatcher) for id, _ in hand.lists)
        return [part for part in command[5:-1] if isinstance(part, bytes)]

    hand.special["XCLAIM"] = claimed
    hand.pass_time(5.0)
    assert outgoing.state == "finished"
    assert len(hand.breaks) <= 5
    assert hand.endpoint.state.name == "UP"
