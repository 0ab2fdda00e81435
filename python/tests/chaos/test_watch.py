"""The taps see what Redis did, and make rows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from chaos.judge.rowfile import rows as read
from chaos.lab.watch import Watch, fields_of
from chaos.workers.rows import Rows
from redisipc_conformance.wire import resp
from redisipc_conformance.wire.exchange import Exchange

REQUEST = [b"XADD", b"shop", b"NOMKSTREAM", b"*", b"id", b"abc", b"instance_id", b"1", b"status", b"pending", b"content",
           b'{"n":17,"k":"quick"}']  # fmt: skip
RESPONSE = [*REQUEST[:9], b"fulfilled", b"content", b'{"n":17}']


class Seen:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "rows.jsonl"
        self.watch = Watch(Rows(str(self.path)))

    def exchange(self, args: list[bytes], result: Any = None, *, replied: bool = True) -> None:
        exchange = Exchange(1, args, 5.0)
        self.watch.sent(exchange)
        if replied:
            exchange.result = result
            self.watch.settled(exchange)

    def rows(self) -> list[list[Any]]:
        return [[row[0], *row[2:]] for row in read(self.path)]


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    return Seen(tmp_path)


def test_requests_responses_and_deletions_are_told_apart(seen: Seen) -> None:
    seen.exchange(REQUEST, b"1-0")
    seen.exchange(RESPONSE, b"2-0")
    seen.exchange([b"XDEL", b"shop", b"1-0", b"2-0"], 2)
    seen.exchange([b"XACK", b"shop", b"stock", b"1-0"], 1)
    assert seen.rows() == [
        ["stored", 17, "abc", "1-0"],
        ["answered", "abc", "2-0"],
        ["deleted", "1-0", 5.0],
        ["deleted", "2-0", 5.0],
    ]
    assert seen.watch.stored == 1


def test_what_was_refused_was_not_done_and_is_counted(seen: Seen) -> None:
    seen.exchange(REQUEST, resp.ErrorReply("OOM command not allowed"))
    seen.exchange(RESPONSE, None)
    assert seen.rows() == []
    assert seen.watch.errors == {"OOM": 1}


def test_what_had_no_reply_may_have_been_done(seen: Seen) -> None:
    seen.exchange(REQUEST, replied=False)
    seen.exchange(RESPONSE, replied=False)
    seen.exchange([b"XDEL", b"shop", b"1-0"], replied=False)
    seen.watch.close()
    assert seen.rows() == [["unsure", "answered", "abc", 5.0], ["unsure", "deleted", "1-0", 5.0]]


def test_fields_are_those_after_the_id() -> None:
    assert fields_of(REQUEST)[b"status"] == b"pending"
    assert fields_of([b"XADD", b"shop"]) == {}


class TestClaims:
    CLAIM: ClassVar[list[bytes]] = [b"XCLAIM", b"shop", b"stock", b"consumer_b_0", b"7000", b"1-0", b"JUSTID"]

    def delivered(self, seen: Seen, *, mapped: bool = False) -> None:
        entries = [[b"1-0", [b"id", b"abc"]]]
        read = [b"XREADGROUP", b"GROUP", b"stock", b"consumer_a_0", b"STREAMS", b"shop", b">"]
        seen.exchange(read, {b"shop": entries} if mapped else [[b"shop", entries]])

    @pytest.mark.parametrize("mapped", [True, False])
    def test_a_claim_from_another_is_a_row(self, seen: Seen, mapped: bool) -> None:
        self.delivered(seen, mapped=mapped)
        seen.exchange(self.CLAIM, [b"1-0"])
        assert seen.rows() == [["moved", "1-0", "consumer_a_0", "consumer_b_0", 0.0]]

    def test_a_claim_of_ones_own_is_a_sign_of_life(self, seen: Seen) -> None:
        self.delivered(seen)
        seen.exchange([*self.CLAIM[:3], b"consumer_a_0", *self.CLAIM[4:]], [b"1-0"])
        assert seen.rows() == []

    def test_a_claim_that_got_nothing_took_nothing(self, seen: Seen) -> None:
        self.delivered(seen)
        seen.exchange(self.CLAIM, [])
        seen.watch.close()
        assert seen.rows() == []

    def test_one_without_a_reply_may_have_been_done(self, seen: Seen) -> None:
        self.delivered(seen)
        seen.exchange(self.CLAIM, replied=False)
        seen.watch.close()
        assert [row[:4] for row in seen.rows()] == [["moved", "1-0", "consumer_a_0", "consumer_b_0"]]

    def test_a_deleted_entry_is_forgotten(self, seen: Seen) -> None:
        self.delivered(seen)
        seen.exchange([b"XDEL", b"shop", b"1-0"], 1)
        seen.exchange(self.CLAIM, [b"1-0"])
        assert seen.rows() == [["deleted", "1-0", 5.0]]
