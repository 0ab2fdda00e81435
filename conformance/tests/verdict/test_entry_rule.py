"""The rule that makes an entry of the testee or of the suite malformed."""

from __future__ import annotations

import pytest

from redisipc_conformance.verdict import entry_rule


@pytest.mark.parametrize(
    ("change", "by_suite", "told"),
    [
        ({}, False, None),
        ({"id": "ABC"}, False, "its id is 'ABC'; expected 21 lower-case hex characters (RIPC-NAME-9)"),
        ({"id": "ABC"}, True, None),
        ({"id": "ABC", "status": "fulfilled"}, False, None),
        ({"instance_id": "1234567"}, False, "expected 6 lower-case hex characters (RIPC-NAME-4)"),
        ({"status": "PENDING"}, True, "its status is 'PENDING'"),
        ({"source_group": ""}, True, "its source_group is blank"),
        ({"source_group": " "}, False, "its source_group is blank"),
        ({"seventh": "x"}, True, "an entry has exactly"),
    ],
)
def test_what_an_entry_must_be(change: dict[str, str], by_suite: bool, told: str | None) -> None:
    fields = {"id": "0" * 21, "instance_id": "abcdef", "status": "pending", "content": "", "source_group": "a"}
    fields |= {"destination_group": "b", **change}
    problem = entry_rule.problem([(name.encode(), value.encode()) for name, value in fields.items()], by_suite=by_suite)
    assert (problem is None) if told is None else (problem is not None and told in f"{problem[0]} ({problem[1]})")
