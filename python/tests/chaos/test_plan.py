"""The plan of faults: drawn from the seed alone, and no kind is forgotten."""

from __future__ import annotations

import itertools
from collections import Counter
from types import SimpleNamespace
from typing import cast

import pytest
from chaos.__main__ import chosen
from chaos.faults import FAULTS
from chaos.lab.lab import COSTLY, KINDS, Load
from chaos.lab.sites import SITES
from chaos.plan import MEMBER_SEQUENCES, QUICK, alone, mixed, quick
from chaos.report.result import Result
from chaos.turns import TRIED, Turns, work

NAMES = list(FAULTS)


def test_one_seed_gives_one_plan_and_another_seed_another() -> None:
    assert alone(NAMES, 2, "7") == alone(NAMES, 2, "7")
    assert alone(NAMES, 2, "7") != alone(NAMES, 2, "8")
    first, again = (list(itertools.islice(mixed(NAMES, "7")[0], 200)) for _ in range(2))
    assert first == again


def test_alone_each_comes_as_often_as_is_wanted_with_its_peace_after_it() -> None:
    steps = alone(NAMES, 3, "1")
    assert Counter(step.fault for step in steps) == dict.fromkeys(NAMES, 3)
    for before, after in itertools.pairwise(steps):
        assert after.peace == FAULTS[before.fault].quiet


def test_mixed_all_kinds_of_a_sequence_come_before_one_comes_again() -> None:
    sequences = mixed(NAMES, "1")
    assert len(sequences) == 1 + MEMBER_SEQUENCES
    dealt = []
    for sequence in sequences:
        first = next(sequence).fault
        kinds = [name for name in NAMES if FAULTS[name].struck_at == FAULTS[first].struck_at]
        deck = [first, *(step.fault for step in itertools.islice(sequence, len(kinds) - 1))]
        assert sorted(deck) == sorted(kinds)
        dealt.append(deck)
    assert dealt[1] != dealt[2], "the sequences of members do not go in step"


def test_a_quick_run_has_each_of_its_kinds_once_in_the_same_order_and_is_soon_over() -> None:
    steps = quick()
    assert steps == quick()
    assert Counter(step.fault for step in steps) == Counter(QUICK)
    assert all("plain" in FAULTS[name].sites for name in QUICK)
    assert sum(step.peace + FAULTS[step.fault].seconds[1] for step in steps) < 45


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_says_what_it_is(name: str) -> None:
    fault = FAULTS[name]
    assert fault.what.endswith(".")
    assert set(fault.sites) <= set(SITES)
    assert fault.seconds[0] <= fault.seconds[1]
    assert fault.struck_at == "redis" or not fault.to_redis, "what is done to Redis comes one at a time"


def test_names_are_chosen_and_a_wrong_one_is_refused() -> None:
    assert chosen("cut-all, oom") == ["cut-all", "oom"]
    assert chosen("") == NAMES
    with pytest.raises(ValueError, match=r"'ooom'; there are .*oom"):
        chosen("ooom")


def test_alone_each_kind_has_one_site_and_mixed_all_where_it_can_strike() -> None:
    alone_there = {task.site: task.faults for task in work(NAMES, "", True, "x")}
    assert sorted(itertools.chain(*alone_there.values())) == sorted(NAMES)
    assert set(alone_there) == set(SITES)
    (cluster,) = work(NAMES, "cluster", False, "x")
    assert {"slot-moved", "responder-killed"} <= set(cluster.faults)
    assert "cut-all" not in cluster.faults
    assert work(["cut-all"], "cluster", False, "x") == []


def test_mixed_the_kinds_that_struck_least_come_first() -> None:
    often = {name: 5 for name in NAMES if name != "oom"}
    assert next(mixed(NAMES, "1", struck=often)[0]).fault == "oom"


def result(site: str, **struck: int) -> Result:
    """The parts of a result that turns look at."""
    return cast(Result, SimpleNamespace(site=site, struck=Counter({k.replace("_", "-"): n for k, n in struck.items()})))


def test_the_site_whose_kinds_lack_most_strikes_is_next_on_the_server_with_the_fewest_runs() -> None:
    tasks = [task for server in ("redis", "valkey") for task in work(["cut-all", "clock-back"], "", False, server)]
    turns = Turns(tasks, [result("plain", cut_all=3)])
    order = []
    for _ in range(4):
        task = turns.next()
        assert task is not None
        order.append((task.server, task.site))
        turns.ran(task, result(task.site, **{task.faults[0].replace("-", "_"): 2}))
    assert order == [("redis", "clock"), ("valkey", "clock"), ("valkey", "plain"), ("redis", "clock")]


def test_a_site_that_cannot_be_had_is_left_out_and_what_struck_often_enough_goes_on() -> None:
    (task,) = work(["cut-all"], "", False, "redis")
    turns = Turns([task], [result("plain", cut_all=40)])
    for _ in range(TRIED):
        assert turns.next() == task
        turns.ran(task, None)
    assert turns.next() is None


def test_a_higher_rate_has_no_more_of_the_costly_kinds_a_second() -> None:
    usual, high = Load(rate=100.0).weights(), Load(rate=400.0).weights()
    assert usual == KINDS
    assert {kind for kind in KINDS if high[kind] != KINDS[kind]} == set(COSTLY)
    assert all(high[kind] * 4 == KINDS[kind] for kind in COSTLY)
