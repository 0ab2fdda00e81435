"""The explorer itself: what it must notice, and that it tells the shortest way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from redisipc.protocol.endpoint import Endpoint

from .configuration import Act, Configuration
from .configurations import CONFIGURATIONS
from .configurations.parts import ASK, NONE, A, B
from .properties import ALL
from .search import explore

CALM = Configuration("calm", "nothing goes wrong", (A, B), (ASK,), ALL, NONE, longest=6.0)


def broken_by(monkeypatch: pytest.MonkeyPatch, name: str, instead: Callable[..., Any]) -> set[str]:
    monkeypatch.setattr(Endpoint, name, instead)
    return set(explore(CALM).broken)


def test_nothing_breaks_where_nothing_goes_wrong() -> None:
    result = explore(CALM)
    assert result.complete
    assert not result.broken
    assert result.ends > 5


def test_an_exception_of_the_core_is_a_property_that_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_arguments: Any) -> None:
        raise KeyError("no such state")

    assert broken_by(monkeypatch, "answer", answer) == {"core"}


def test_an_endpoint_that_asks_for_calls_without_an_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken_by(monkeypatch, "deadline", lambda _endpoint: 0.0) == {"spin"}


def test_an_answer_that_is_never_written_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken_by(monkeypatch, "answer", lambda *_arguments: None) >= {"answered", "residue"}


def test_a_request_that_nobody_starts_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken_by(monkeypatch, "next_read", lambda *_arguments: None) >= {"started", "residue"}


def test_the_first_story_has_as_few_faults_as_can_be() -> None:
    crash = CONFIGURATIONS["crash"]
    result = explore(replace(crash, causes=NONE), enough=frozenset(("started-again",)))
    assert [found.deviations for found in result.found] == [1]
    assert sum("crashes" in line or "cut off" in line for line in result.found[0].story) == 1


def test_a_second_start_needs_a_cause_that_the_configuration_allows() -> None:
    crash = CONFIGURATIONS["crash"]
    assert explore(replace(crash, most_faults=1)).reached["cause owner-silent"] > 0
    assert "started-again" in explore(replace(crash, most_faults=1, causes=frozenset(("clock-step",)))).broken


def test_a_handler_may_end_at_every_instant_and_before_and_after_what_happens_there() -> None:
    few = explore(replace(CALM, runs=(4.0,)))
    many = explore(CALM)
    assert few.ends < many.ends
    assert few.states < many.states


def test_requests_that_compete_are_run_by_either_member() -> None:
    two = replace(CALM, script=(ASK, Act("ask", 2.0, 6.0, (1,))), runs=(1.0,))
    result = explore(two)
    assert result.complete
    assert not result.broken
