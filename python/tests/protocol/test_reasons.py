"""Reasons: what is written, what is read in one, and how often a report passes."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.events import Problem
from redisipc.protocol.reasons import BEGINNINGS, LONGEST_REASON, EachSecond, ReasonCode, read, reason
from redisipc.runtime.reasons import crash
from tests.support_core import Hand
from tests.support_tables import rows


def test_the_words_are_those_of_the_registry() -> None:
    table = rows("registries", "reasons").values()
    assert {code.value for code in ReasonCode} == {row["code"] for row in table}
    assert {start: code.value for start, code in BEGINNINGS.items()} == {row["begins"]: row["code"] for row in table}


@pytest.mark.parametrize(
    ("content", "code", "text", "data"),
    [
        ("overloaded: 5 wait", "overloaded", "overloaded: 5 wait", None),
        ("Unsupported event. Given x", "unsupported_event", "Unsupported event. Given x", None),
        ("Malformed event data. Expected Hash, got String", "invalid_params", None, None),
        ("overloaded", None, "overloaded", None),
        ({"error": {"code": "gone", "message": "no such sku", "data": [1]}}, "gone", "no such sku", [1]),
        ({"error": {"code": "gone"}}, "gone", None, None),
        ({"error": {"code": 7, "message": "m"}}, None, None, None),
        ({"error": "gone"}, None, None, None),
        ({"code": "gone"}, None, None, None),
        (None, None, None, None),
    ],
)
def test_a_requester_reads_code_message_and_data(content: Any, code: Any, text: Any, data: Any) -> None:
    found = read(content)
    assert (found[0], found[2]) == (code, data)
    assert found[1] == (content if isinstance(content, str) else text)


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    said = crash(ValueError(), "x" * 5_000_000, "id", "text")
    assert said.startswith(reason(ReasonCode.HANDLER_FAILED, "ValueError: xxx"))
    assert len(said) < LONGEST_REASON + 100
    assert said.endswith("(5000000 characters)")


def test_one_report_of_a_kind_passes_in_a_second_and_counts_the_others() -> None:
    gate = EachSecond()
    assert [gate.take("a", now) for now in (5.0, 5.1, 5.9)] == [0, None, None]
    assert gate.take("b", 5.5) == 0
    assert [gate.take("a", now) for now in (6.0, 6.5, 60.0)] == [2, None, 1]


def test_what_an_endpoint_rejects_by_itself_is_told_once_a_second() -> None:
    hand = Hand(concurrency=1, max_queue=0).up()
    hand.read(hand.request(), *[hand.request(b"%021d" % number) for number in range(3)])
    hand.write_all()
    told = [event for event in hand.events if isinstance(event, Problem)]
    assert [event.kind for event in told] == ["overloaded"]
    assert "from 'peer'" in told[0].message
    assert "overloaded: " in told[0].message
