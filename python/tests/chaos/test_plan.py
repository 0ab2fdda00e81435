"""The plan of faults: drawn from the seed alone, and no kind is forgotten."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from chaos.__main__ import Task, chosen, in_turn, work
from chaos.faults import FAULTS
from chaos.lab.sites import SITES
from chaos.plan import MEMBER_LANES, QUICK, alone, mixed, quick

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


def test_mixed_all_kinds_of_a_lane_come_before_one_comes_again() -> None:
    lanes = mixed(NAMES, "1")
    assert len(lanes) == 1 + MEMBER_LANES
    dealt = []
    for lane in lanes:
        first = next(lane).fault
        kinds = [name for name in NAMES if FAULTS[name].lane == FAULTS[first].lane]
        deck = [first, *(step.fault for step in itertools.islice(lane, len(kinds) - 1))]
        assert sorted(deck) == sorted(kinds)
        dealt.append(deck)
    assert dealt[1] != dealt[2], "the lanes of members do not go in step"


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
    assert fault.lane == "redis" or not fault.to_redis, "what is done to Redis comes one at a time"


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


def test_runs_take_turns_over_sites_and_go_on_where_they_ended() -> None:
    tasks = [Task("redis", "plain", [], 50), Task("redis", "tls", [], 3), Task("valkey", "plain", [], 50)]
    turns = list(itertools.islice(in_turn(tasks, 0), 18))
    assert turns[:9] == [*tasks, tasks[0], tasks[2], tasks[0], tasks[2], tasks[0], tasks[2]]
    assert turns[9:] == turns[:9]
    assert list(itertools.islice(in_turn(tasks, 4), 5)) == turns[4:9]
