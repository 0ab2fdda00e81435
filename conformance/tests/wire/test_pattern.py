"""Command patterns."""

from __future__ import annotations

import pytest

from redisipc_conformance.wire.pattern import Pattern

CLAIM = [b"XCLAIM", b"s", b"a", b"consumer_1", b"0", b"1-2", b"JUSTID"]


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        ("XCLAIM", True),
        ("xclaim s", True),
        ("XCLAIM s a * 0 1-2 JUSTID", True),
        ("XCLAIM * * consumer_* ...", True),
        ("XCLAIM ... JUSTID", True),
        ("XCLAIM ... justid", False),
        ("XCLAIM ... 1-2 ... JUSTID", True),
        ("XCLAIM s a", True),
        ("XCLAIM s b", False),
        ("XCLAIM Other", False),
        ("XACK", False),
        ("XCLAIM s a consumer_? 0 1-2 JUSTID IDLE", False),
        ("... 1-2", True),
        ("...", True),
    ],
)
def test_words_are_matched_from_the_first_argument_on(pattern: str, holds: bool) -> None:
    assert Pattern.of(pattern).matches(CLAIM) is holds


def test_keywords_are_alike_in_either_case() -> None:
    assert Pattern.of("XCLAIM ... JUSTID").matches([*CLAIM[:-1], b"justid"])


def test_a_list_may_hold_arguments_with_spaces() -> None:
    assert Pattern.of(["XADD", "my stream", "*"]).matches([b"XADD", b"my stream", b"*"])
    assert not Pattern.of(["XADD", "my stream"]).matches([b"XADD", b"my", b"stream"])
