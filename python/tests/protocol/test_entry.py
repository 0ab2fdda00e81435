"""An entry has exactly six fields; anything else is named for what it is and never raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redisipc.protocol.entry import FIELDS, Entry, Malformed, build, parse

GOOD = list(build(b"a" * 21, b"bbbbbb", b"pending", b"1", b"web", b"stock"))


def without(name: bytes) -> list[bytes]:
    at = GOOD.index(name)
    return GOOD[:at] + GOOD[at + 2 :]


def test_fields_stand_in_the_order_of_the_wire() -> None:
    assert GOOD[0::2] == FIELDS


def test_a_built_entry_is_parsed_again() -> None:
    assert parse(b"1-0", GOOD) == Entry(b"1-0", b"a" * 21, b"bbbbbb", b"pending", b"1", b"web", b"stock")


@given(st.permutations(range(6)))
def test_any_order_of_fields_is_read(order: list[int]) -> None:
    shuffled = [part for i in order for part in GOOD[2 * i : 2 * i + 2]]
    assert parse(b"1-0", shuffled) == parse(b"1-0", GOOD)


@pytest.mark.parametrize("name", FIELDS)
def test_a_missing_field_is_named(name: bytes) -> None:
    bad = parse(b"1-0", without(name))
    assert isinstance(bad, Malformed)
    assert name.decode() in bad.problem


def test_a_seventh_field_is_refused_and_named() -> None:
    bad = parse(b"1-0", [*GOOD, b"trace", b"x"])
    assert isinstance(bad, Malformed)
    assert "trace" in bad.problem
    assert bad.destination_group == b"stock"
    assert (b"trace", b"x") in bad.fields


def test_a_field_twice_is_refused() -> None:
    assert isinstance(parse(b"1-0", [*GOOD, b"id", b"x"]), Malformed)


@pytest.mark.parametrize("status", [b"", b"PENDING", b"done", b"pending "])
def test_an_unknown_status_is_refused(status: bytes) -> None:
    bad = parse(b"1-0", list(build(b"a", b"b", status, b"1", b"web", b"stock")))
    assert isinstance(bad, Malformed)
    assert "status" in bad.problem


@pytest.mark.parametrize("empty", [0, 1, 4, 5])
def test_an_empty_name_is_refused(empty: int) -> None:
    values = [b"a", b"b", b"pending", b"1", b"web", b"stock"]
    values[empty] = b""
    bad = parse(b"1-0", list(build(*values)))
    assert isinstance(bad, Malformed)
    assert FIELDS[empty].decode() in bad.problem


@given(st.lists(st.tuples(st.sampled_from([*FIELDS, b"other"]), st.binary()), min_size=1, max_size=9))
def test_whatever_stands_in_a_stream_is_parsed_without_an_error(pairs: list[tuple[bytes, bytes]]) -> None:
    entry = parse(b"1-0", [part for pair in pairs for part in pair])
    if isinstance(entry, Malformed):
        assert entry.problem
        assert entry.fields == pairs
