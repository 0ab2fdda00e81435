"""Any member takes a response that was given back, with or without room, however many requests were (RIPC-GROUP-25)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from redisipc.protocol.commands import GIVE_BACK_IDLE_MS, GIVE_BACK_RESPONSE_IDLE_MS, Command, Failure
from redisipc.protocol.entry import build

from ..support_core import Hand
from .test_responder import with_sibling

OTHER = b"dispatcher_dead00_0"


class Given:
    """The pending list of a group: what was given back, by entry ID, and what is claimed of it."""

    def __init__(self, hand: Hand, requests: int, responses: dict[int, int], content: bytes = b"1") -> None:
        """``responses``: how many requests stand before each, and its mark."""
        self.hand = hand
        self.idle = {b"%d-0" % (1_700_000_000_000 + 2 * i): GIVE_BACK_IDLE_MS for i in range(requests)}
        at = {b"%d-0" % (1_699_999_999_999 + 2 * before): mark for before, mark in responses.items()}
        self.responses = list(at)
        self.idle |= at
        self.content = content
        self.read: list[bytes] = []
        self.claimed: list[bytes] = []
        self.most_at_once = 0
        hand.special.update(XPENDING=self._pending, XRANGE=self._range, XCLAIM=self._claim)

    def _pending(self, command: Command) -> list[Any]:
        if command[3] != "IDLE":
            return []
        start = bytes(command[5])  # type: ignore[arg-type]
        rows = [id for id in sorted(self.idle) if self.idle[id] >= int(command[4])]
        rows = [id for id in rows if start == b"-" or id > start[1:]]
        return [[id, OTHER, self.idle[id], 1] for id in rows[: int(command[7])]]

    def _range(self, command: Command) -> list[Any]:
        id = bytes(command[2])  # type: ignore[arg-type]
        if id not in self.idle:
            return []
        self.read.append(id)
        status = b"fulfilled" if id in self.responses else b"pending"
        return [[id, list(build(b"r" * 21, b"peer01", status, self.content, b"peer", b"web"))]]

    def _claim(self, command: Command) -> list[bytes]:
        ids = [id for id in command[5:-1] if isinstance(id, bytes) and b"-" in id]
        if not int(command[4]):
            # What it has by now, to keep it or to hand it over.
            return ids
        ids = [id for id in ids if self.idle.pop(id, 0) >= int(command[4])]
        self.claimed += ids
        return ids

    def takes_all(self, seconds: float = 5.0) -> bool:
        self.hand.pass_time(seconds)
        return set(self.responses) <= set(self.claimed)


def handlerless() -> Hand:
    return Hand(responder=False).up()


def busy() -> Hand:
    """It runs one request, and may run no more."""
    hand = with_sibling(Hand(concurrency=1).up())
    hand.read(hand.request())
    hand.write_all()
    assert hand.endpoint.wiring.responder.room == 0
    return hand


@pytest.mark.parametrize("member", [handlerless, busy])
@pytest.mark.parametrize(("requests", "before"), [(30, 15), (30, 30), (150, 90), (150, 150), (5000, 5000)])
def test_a_response_behind_many_requests_is_taken_within_5_s(member: Any, requests: int, before: int) -> None:
    given = Given(member(), requests, {before: GIVE_BACK_RESPONSE_IDLE_MS})
    assert given.takes_all()
    assert given.claimed == given.responses


@pytest.mark.parametrize("member", [handlerless, busy])
def test_hundreds_of_responses_are_taken_at_one_look(member: Any) -> None:
    hand = member()
    given = Given(hand, 700, dict.fromkeys(range(0, 700, 2), GIVE_BACK_RESPONSE_IDLE_MS))
    assert given.takes_all(3.4)
    assert len(given.claimed) == len(given.responses) == 350


def test_few_large_responses_are_read_at_once() -> None:
    hand = busy()
    hand.endpoint.shared.sizes.typical = 10 << 20
    given = Given(hand, 50, dict.fromkeys(range(40), GIVE_BACK_RESPONSE_IDLE_MS))
    largest = 0
    answers = hand.answers

    def watched(batch: Any) -> list[Any]:
        nonlocal largest
        ids = [command[2] for command in batch.commands if command[0] == "XRANGE"]
        largest = max(largest, len([id for id in ids if id in given.responses]))
        return answers(batch)

    hand.answers = watched  # type: ignore[method-assign]
    assert given.takes_all(3.4)
    assert largest == 1


def test_a_member_with_room_starts_requests_that_stand_behind_many_responses() -> None:
    hand = with_sibling(Hand(concurrency=2).up())
    given = Given(hand, 200, dict.fromkeys(range(1), GIVE_BACK_RESPONSE_IDLE_MS))
    given.idle |= {b"%d-0" % (1_600_000_000_000 + i): GIVE_BACK_RESPONSE_IDLE_MS for i in range(150)}
    given.responses = [id for id, idle in given.idle.items() if idle == GIVE_BACK_RESPONSE_IDLE_MS]
    hand.endpoint.woken(b"s:web:wakeup", hand.now)
    hand.write_all()
    assert len(hand.started()) == 2
    assert given.takes_all()


@pytest.mark.parametrize(("concurrency", "started"), [(1, 0), (2, 1)])
def test_a_request_with_the_mark_of_a_response_needs_room(concurrency: int, started: int) -> None:
    """A step of Redis' clock by decades marks everything so (RIPC-GROUP-36)."""
    hand = with_sibling(Hand(concurrency=concurrency).up())
    hand.read(hand.request())
    hand.write_all()
    hand.events.clear()
    given = Given(hand, 3, {1: GIVE_BACK_RESPONSE_IDLE_MS})
    given.idle = dict.fromkeys(given.idle, GIVE_BACK_RESPONSE_IDLE_MS)
    assert given.takes_all()
    assert len(hand.started()) == started
    assert len(given.claimed) == 1 + started


def test_a_response_with_the_mark_of_a_request_is_taken_by_a_member_with_room() -> None:
    hand = with_sibling(Hand(concurrency=2).up())
    assert Given(hand, 1, {1: GIVE_BACK_IDLE_MS}).takes_all()


def test_after_a_reconnect_nothing_that_was_given_back_is_taken_for_10_s() -> None:
    """RIPC-RECOV-7."""
    hand = busy()
    given = Given(hand, 3, {1: GIVE_BACK_RESPONSE_IDLE_MS})
    hand.endpoint.wiring.reclaimer.reset(hand.now, again=True)
    assert not given.takes_all(9.9)
    assert given.read == []
    assert given.takes_all(5.0)


def test_a_body_that_broke_a_connection_is_read_alone() -> None:
    """RIPC-RECOV-28: after the others."""
    hand = handlerless()
    given = Given(hand, 0, dict.fromkeys(range(3), GIVE_BACK_RESPONSE_IDLE_MS))
    bad = given.responses[0]
    hand.endpoint.shared.breakers.suspect(bad)
    together: list[int] = []
    answers = hand.answers

    def watched(batch: Any) -> list[Any]:
        ids = [command[2] for command in batch.commands if command[0] == "XRANGE"]
        if bad in ids:
            together.append(len(ids))
        return answers(batch)

    hand.answers = watched  # type: ignore[method-assign]
    assert given.takes_all(10.0)
    assert together == [1]
    assert given.claimed[-1] == bad


@pytest.mark.parametrize("marks", [GIVE_BACK_IDLE_MS, GIVE_BACK_RESPONSE_IDLE_MS])
def test_a_claim_that_is_refused_for_good_is_not_repeated_at_once(marks: int) -> None:
    """RIPC-RECOV-27: though a page of entries that were given back is full."""
    hand = with_sibling(Hand(concurrency=2).up())
    given = Given(hand, 60, dict.fromkeys(range(60), GIVE_BACK_RESPONSE_IDLE_MS))
    given.idle = {id: idle for id, idle in given.idle.items() if idle == marks}
    hand.special["XCLAIM"] = Failure("NOPERM", "NOPERM this user has no permissions to run the 'xclaim' command")
    hand.endpoint.woken(b"s:web:wakeup", hand.now)
    for _ in range(50):
        if hand.write() is None:
            return
    raise AssertionError("it claims again and again")


def test_a_member_that_leaves_marks_the_responses_that_it_kept() -> None:
    """RIPC-GROUP-24: what it has not read may be anything."""
    hand = with_sibling(Hand().up())
    hand.special["LRANGE"] = lambda command: [b"consumer_51b110_0"] if b"51b110" in command[1] else []
    response = hand.response(b"x", instance=b"999999")
    unread = hand.next_id()
    hand.read(response)
    hand.pass_time(1)

    def pending(command: Command) -> list[Any]:
        own = command[-1] == b"dispatcher_%b_0" % hand.instance
        return [[id, command[-1], 10, 1] for id in (response[0], unread)] if own else []

    hand.special["XPENDING"] = pending
    hand.endpoint.close(hand.now, 5.0)
    sent = [command for command in hand.pass_time(1) if command[0] == "XCLAIM"]
    marks = {
        id: command[command.index("IDLE") + 1] for command in sent for id in (response[0], unread) if id in command
    }
    assert marks == {response[0]: GIVE_BACK_RESPONSE_IDLE_MS, unread: GIVE_BACK_IDLE_MS}


def test_many_given_back_requests_do_not_put_off_the_look_at_the_dead() -> None:
    """RIPC-GROUP-15, RIPC-GROUP-22: while handlers end during each look for room, the other look has its turn, too."""
    hand = with_sibling(Hand(concurrency=2).up())
    Given(hand, 2000, {})
    hand.endpoint.woken(b"s:web:wakeup", hand.now)
    looks: list[float] = []
    for _ in range(3500):
        hand.now += 0.001
        hand.endpoint.tick(hand.now)
        batch = hand.endpoint.next_batch(hand.now)
        if batch is None:
            continue
        looks += [hand.now for command in batch.commands if command[:5] == ("XPENDING", b"s", b"web", "IDLE", 7000)]
        while hand.started():
            [done, *_] = hand.started()
            hand.events.remove(done)
            hand.endpoint.answer(done.incoming, "fulfilled", b"1", hand.now)
            hand.endpoint.handler_done(done.incoming, hand.now)
        hand.endpoint.batch_done(batch, hand.answers(batch), hand.now)
        hand.drain()
    assert len(looks) >= 20
    gaps = [later - sooner for sooner, later in pairwise(looks)]
    assert sum(gap > 0.01 for gap in gaps) <= 1
