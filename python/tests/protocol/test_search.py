"""A member without room finds the responses among many requests that others left (RIPC-GROUP-17, RIPC-GROUP-25)."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol import search
from redisipc.protocol.commands import GIVE_BACK_IDLE_MS, Command
from redisipc.protocol.entry import build
from redisipc.protocol.sizes import Sizes

from ..support_core import Hand
from .test_responder import with_sibling


class Left:
    """The pending list of a group: requests that a member left, with one response at the place ``at`` among them."""

    def __init__(self, hand: Hand, requests: int, at: int, since: float | None = None) -> None:
        """``since``: the last sign of life of their owner. Without it, they were given back."""
        self.hand = hand
        self.since = since
        self.ids = [b"%d-0" % (1_700_000_000_000 + i) for i in range(requests + 1)]
        self.response = self.ids[at]
        self.read: list[bytes] = []
        self.claimed: list[bytes] = []
        hand.special.update(XPENDING=self._pending, XRANGE=self._range, XCLAIM=self._claim)

    @property
    def _idle(self) -> int:
        return GIVE_BACK_IDLE_MS if self.since is None else int((self.hand.now - self.since) * 1000)

    def _pending(self, command: Command) -> list[Any]:
        if command[3] != "IDLE" or self._idle < int(command[4]):
            return []
        start = bytes(command[5])
        rows = [id for id in self.ids if start == b"-" or id > start[1:]]
        return [[id, b"dispatcher_dead00_0", self._idle, 1] for id in rows[: int(command[7])]]

    def _range(self, command: Command) -> list[Any]:
        id = bytes(command[2])
        if id not in self.ids:
            return []
        self.read.append(id)
        status = b"fulfilled" if id == self.response else b"pending"
        return [[id, list(build(b"r" * 21, b"peer01", status, b"1", b"peer", b"web"))]]

    def _claim(self, command: Command) -> list[bytes]:
        ids = [id for id in self.ids if id in command]
        self.claimed += ids
        self.ids = [id for id in self.ids if id not in ids]
        return ids or [part for part in command[5:-1] if isinstance(part, bytes) and b"-" in part]


def takes(left: Left, seconds: float) -> bool:
    left.hand.pass_time(seconds)
    return left.response in left.claimed


@pytest.mark.parametrize(("requests", "at"), [(30, 30), (30, 15), (150, 150), (150, 90), (150, 0), (1000, 1000)])
def test_a_given_back_response_is_taken_within_5_s_by_a_member_without_a_handler(requests: int, at: int) -> None:
    left = Left(Hand(responder=False).up(), requests, at)
    assert takes(left, 5.0)
    assert left.claimed == [left.response]


@pytest.mark.parametrize(("requests", "at"), [(30, 30), (150, 90), (1000, 1000)])
def test_a_given_back_response_is_taken_within_5_s_by_a_member_that_takes_requests(requests: int, at: int) -> None:
    hand = with_sibling(Hand(concurrency=1).up())
    left = Left(hand, requests, at)
    assert takes(left, 5.0)
    assert len(hand.started()) == 1


def test_the_body_of_a_request_that_nobody_has_room_for_is_read_once() -> None:
    """But for a few: they may have been deleted meanwhile (RIPC-GROUP-16)."""
    left = Left(Hand(responder=False).up(), 150, 150)
    assert takes(left, 30.0)
    assert len(left.read) < 151 + 100


def test_the_body_of_what_it_gave_back_itself_is_not_read() -> None:
    left = Left(Hand(responder=False).up(), 150, 150)
    for id in left.ids[:150]:
        left.hand.endpoint.wiring.responder.on_given_back(id)
    assert takes(left, 5.0)
    assert len(left.read) < 50


def test_few_entry_ids_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies that are beyond them are read at each look."""
    monkeypatch.setattr(search, "MOST_REQUESTS_KNOWN", 50)
    left = Left(Hand(responder=False).up(), 80, 80)
    assert takes(left, 5.0)
    left.read.clear()
    left.hand.pass_time(3.4)
    assert 30 <= len(set(left.read)) < 45


def test_what_the_list_does_not_show_any_more_is_forgotten() -> None:
    left = Left(Hand(responder=False).up(), 80, 80)
    assert takes(left, 5.0)
    ids, left.ids = left.ids, []
    left.hand.pass_time(7.0)
    left.ids = ids
    left.read.clear()
    left.hand.pass_time(3.4)
    assert set(left.read) == set(ids)


def test_a_response_of_a_dead_member_is_found_though_few_bodies_may_be_read_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RIPC-GROUP-17: as above, where an owner died."""
    hand = Hand(responder=False).up()
    hand.pass_time(13.0)
    left = Left(hand, 90, 90, hand.now)
    hand.endpoint.shared.sizes.saw(10 << 20)
    monkeypatch.setattr(Sizes, "saw", lambda _self, _largest: None)
    assert takes(left, 15.0)
    assert left.claimed == [left.response]


def test_a_body_that_broke_a_connection_is_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """RIPC-RECOV-28: after the others, which are remembered."""
    hand = Hand(responder=False).up()
    left = Left(hand, 150, 150)
    hand.endpoint.shared.breakers.suspect(left.response)
    together: list[int] = []
    answers = hand.answers

    def watched(batch: Any) -> list[Any]:
        ids = [command[2] for command in batch.commands if command[0] == "XRANGE"]
        if left.response in ids:
            together.append(len(ids))
        return answers(batch)

    monkeypatch.setattr(hand, "answers", watched)
    assert takes(left, 5.0)
    assert together == [1]
