"""The scenarios that -k, ids and profiles select."""

from dataclasses import dataclass

import pytest

from redisipc_conformance.scenario.selection import Selection, SelectionError, compile_words, select


@dataclass(frozen=True)
class Some:
    id: str
    title: str
    profile: str
    thorough: bool = False


ALL = [
    Some("entry/six-fields", "A request is one entry", "base"),
    Some("entry/six-fields-more", "Another", "base"),
    Some("reclaim/dead-owner", "A dead owner's request is run", "group"),
    Some("reclaim/slow", "Slow", "resilient"),
]


def ids(selection: Selection) -> list[str]:
    return [each.id for each in select(ALL, selection, lambda each: ["RIPC-ENTRY-3"] if "entry" in each.id else [])]


def test_an_id_is_exact_and_a_glob_is_wide():
    assert ids(Selection(ids=("entry/six-fields",))) == ["entry/six-fields"]
    assert len(ids(Selection(ids=("entry/*",)))) == 2
    assert len(ids(Selection())) == 4


def test_parts_narrow_each_other():
    assert ids(Selection(ids=("reclaim/*",), profiles=("group",))) == ["reclaim/dead-owner"]
    assert ids(Selection(profiles=("group", "resilient"), failed=frozenset({"reclaim/slow"}))) == ["reclaim/slow"]


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("entry", 2),
        ("ENTRY", 2),
        ("not entry", 2),
        ("ripc-entry-3", 2),
        ("reclaim and not slow", 1),
        ("six-fields-more or slow", 2),
        ("not (entry or slow)", 1),
        ("reclaim and (dead or slow)", 2),
        ("not not entry", 2),
    ],
)
def test_words(words: str, number: int):
    assert len(ids(Selection(words=words))) == number


@pytest.mark.parametrize("words", ["(", "a and", "or a", "a b", "(a", "a)", "not", " "])
def test_a_broken_expression_is_refused(words: str):
    with pytest.raises(SelectionError):
        compile_words(words)


def test_an_id_that_is_none_is_told_with_a_near_one():
    with pytest.raises(SelectionError, match=r"no scenario is called x/six-fields; did you mean entry/six-fields"):
        ids(Selection(ids=("x/six-fields",)))
    with pytest.raises(SelectionError, match="no profile is called groups"):
        ids(Selection(profiles=("groups",)))


def test_only_a_profile_is_still_the_whole_of_it():
    assert Selection(profiles=("base",)).everything
    assert not Selection(words="x").everything
    assert not Selection(failed=frozenset()).everything
