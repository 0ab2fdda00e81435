"""A member takes a dead member's response with or without room, however many requests that member left (RIPC-GROUP-17)."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import GIVE_BACK_IDLE_MS, Command
from redisipc.protocol.entry import build
from redisipc.protocol.sizes import Sizes

from ..support_core import Hand
from .test_given_responses import busy, handlerless
from .test_responder import with_sibling

DEAD = b"dispatcher_dead00_0"


class Left:
    """The pending list of a group: requests that a member left when it died just now, and one response."""

    def __init__(self, hand: Hand, requests: int, before: int | None = None) -> None:
        """``before``: how many requests stand before the response; without it, there is no response."""
        hand.pass_time(14.0)
        hand.events.clear()
        self.hand = hand
        self.died = hand.now
        ids = [b"%d-0" % (1_700_000_000_000 + 2 * i) for i in range(requests)]
        self.response = b"" if before is None else b"%d-0" % (1_699_999_999_999 + 2 * before)
        self.owners = dict.fromkeys(sorted([*ids, self.response] if self.response else ids), DEAD)
        self.seen = dict.fromkeys(self.owners, hand.now)
        self.bodies = set(self.owners)
        self.destination = b"web"
        self.read: list[bytes] = []
        self.claimed: list[bytes] = []
        hand.special.update(XPENDING=self._pending, XRANGE=self._range, XCLAIM=self._claim, XACK=self._acknowledge)

    def give_back(self, ids: list[bytes]) -> None:
        for id in ids:
            self.seen[id] = self.hand.now - GIVE_BACK_IDLE_MS / 1000

    def _idle(self, id: bytes) -> int:
        return int((self.hand.now - self.seen[id]) * 1000)

    def _pending(self, command: Command) -> list[Any]:
        if command[3] != "IDLE":
            return []
        start = bytes(command[5])  # type: ignore[arg-type]
        rows = [id for id in self.owners if self._idle(id) >= int(command[4]) and (start == b"-" or id > start[1:])]
        return [[id, self.owners[id], self._idle(id), 1] for id in rows[: int(command[7])]]

    def _range(self, command: Command) -> list[Any]:
        id = bytes(command[2])  # type: ignore[arg-type]
        if id not in self.bodies:
            return []
        self.read.append(id)
        status = b"fulfilled" if id == self.response else b"pending"
        return [[id, list(build(b"r" * 21, b"peer01", status, b"1", b"peer", self.destination))]]

    def _claim(self, command: Command) -> list[bytes]:
        ids = [id for id in command[5:] if isinstance(id, bytes) and b"-" in id]
        if not int(command[4]):
            # What it has by now, to keep it or to hand it over.
            return ids
        ids = [id for id in ids if id in self.owners and self._idle(id) >= int(command[4])]
        self.claimed += ids
        for id in ids:
            del self.owners[id]
        return ids

    def _acknowledge(self, command: Command) -> int:
        return sum(self.owners.pop(id, None) is not None for id in command[3:] if isinstance(id, bytes))

    def takes_it(self, seconds: float = 15.0) -> bool:
        self.hand.pass_time(seconds)
        return self.response in self.claimed


@pytest.mark.parametrize("member", [busy, handlerless])
@pytest.mark.parametrize(("requests", "before"), [(20, 20), (40, 40), (90, 60), (150, 150), (400, 400), (2000, 1999)])
def test_a_response_behind_many_requests_is_taken_within_15_s(member: Any, requests: int, before: int) -> None:
    left = Left(member(), requests, before)
    assert left.takes_it()
    assert left.claimed == [left.response]


def test_few_large_bodies_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = busy()
    hand.endpoint.shared.sizes.typical = 10 << 20
    monkeypatch.setattr(Sizes, "saw", lambda _self, _largest: None)
    left = Left(hand, 90, 90)
    most, answers = 0, hand.answers

    def watched(batch: Any) -> list[Any]:
        nonlocal most
        # One that may be a response, and one of the requests that were read before.
        most = max(most, sum(command[0] == "XRANGE" for command in batch.commands))
        return answers(batch)

    hand.answers = watched  # type: ignore[method-assign]
    assert left.takes_it()
    assert most <= 2


def test_a_body_counts_for_how_many_are_read_at_once() -> None:
    hand = busy()
    left = Left(hand, 90, 90)
    big = list(build(b"r" * 21, b"peer01", b"pending", b"x" * (1 << 20), b"peer", b"web"))
    hand.special["XRANGE"] = lambda command: [[command[2], big]]
    hand.pass_time(15.0)
    assert left.claimed == []
    assert hand.endpoint.shared.sizes.count(100) == 1


@pytest.mark.parametrize("member", [busy, handlerless])
def test_without_room_no_more_bodies_are_read_at_each_look_than_at_once(member: Any) -> None:
    """Once it is known that they are requests."""
    hand = member()
    left = Left(hand, 90)
    hand.pass_time(15.0)
    assert set(left.read) == set(left.owners)
    left.read.clear()
    hand.pass_time(3.4)
    assert 0 < len(left.read) <= 2 * hand.endpoint.shared.sizes.count(100)


@pytest.mark.parametrize("member", [busy, handlerless])
def test_a_request_whose_body_is_gone_is_acknowledged_without_room(member: Any) -> None:
    """RIPC-GROUP-16: the requester gave it up after its body was read."""
    hand = member()
    left = Left(hand, 90)
    hand.pass_time(15.0)
    left.bodies = {*list(left.owners)[:45]}
    hand.pass_time(15.0)
    assert set(left.owners) == left.bodies


@pytest.mark.parametrize("member", [busy, handlerless])
def test_an_entry_for_another_group_needs_no_room(member: Any) -> None:
    """RIPC-GROUP-22: a member died before it acknowledged what it skipped."""
    left = Left(member(), 5)
    left.destination = b"stock"
    left.hand.pass_time(15.0)
    assert left.owners == {}
    assert left.hand.started() == []


def test_a_body_that_broke_a_connection_is_read_alone() -> None:
    """RIPC-RECOV-28: after the others."""
    hand = handlerless()
    left = Left(hand, 0, 0)
    hand.endpoint.shared.breakers.suspect(left.response)
    others = {b"%d-0" % (1_700_000_000_001 + i): DEAD for i in range(3)}
    left.destination = b"stock"
    left.owners |= others
    left.seen |= dict.fromkeys(others, left.died)
    left.bodies |= set(others)
    together: list[int] = []
    answers = hand.answers

    def watched(batch: Any) -> list[Any]:
        ids = [command[2] for command in batch.commands if command[0] == "XRANGE"]
        if left.response in ids:
            together.append(len(ids))
        return answers(batch)

    hand.answers = watched  # type: ignore[method-assign]
    left.hand.pass_time(25.0)
    assert together == [1]
    assert left.claimed[-1] == left.response


def test_no_more_requests_are_claimed_than_may_start() -> None:
    """Though some are a dead member's, and others were given back."""
    hand = with_sibling(Hand(concurrency=3).up())
    left = Left(hand, 300, 300)
    hand.pass_time(9.0)
    assert left.claimed == []
    left.give_back(list(left.owners)[:40:2])
    assert left.takes_it(6.0)
    assert len(hand.started()) == 3
    assert len(left.claimed) == 4


def test_who_kept_an_entry_alive_in_between_is_alive_among_many() -> None:
    """RIPC-GROUP-14: also where the list has several pages."""
    left = Left(busy(), 250, 170)
    left.hand.pass_time(9.5)
    left.seen[left.response] = left.hand.now
    assert not left.takes_it(9.4)
    assert left.takes_it(5.6)


def test_another_owner_needs_two_looks_of_its_own() -> None:
    left = Left(busy(), 90, 90)
    left.hand.pass_time(9.9)
    left.owners[left.response] = b"dispatcher_dead01_0"
    assert left.claimed == []
    left.hand.pass_time(2.5)
    assert left.claimed == []
    assert left.takes_it(6.0)
