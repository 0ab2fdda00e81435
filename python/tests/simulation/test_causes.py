"""The causes of a second run that the checker accepts are those of SPEC.md's table, and none besides."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap

import pytest

from ..support_shared import SHARED
from ..support_tables import rows
from . import causes
from .causes import CAUSES, cause
from .history import Ask, History, Move, Process, Reply, Run, Trouble
from .world import QUIESCENCE


def answers() -> set[str | None]:
    """Every value that ``cause`` returns, read from its source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cause)))
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    assert all(isinstance(value, ast.Constant) for value in returned), "each answer is written out"
    return {value.value for value in returned if isinstance(value, ast.Constant)}  # type: ignore[misc]


def test_the_checker_accepts_the_causes_of_the_table_and_none_besides() -> None:
    printed = rows("causes", "causes")
    assert answers() == {*printed, None}
    assert CAUSES.keys() == printed.keys()


def test_each_bound_is_that_of_the_table() -> None:
    printed = rows("causes", "causes")
    bounds = {id: row["needs_s"] for id, row in printed.items() if row["needs_s"] is not None}
    source = inspect.getsource(causes)
    for id in bounds:
        assert f'CAUSES["{id}"].needs_s' in source, f"the bound of {id} is read from the table"


def stand() -> tuple[History, Ask, Run, Run]:
    """A request of process 2 that two members of a group started, 12 s apart, and nothing that would explain it."""
    history = History(0, lost=[])
    history.processes = [
        Process(0, "g0", 0.0, up_at=0.0),
        Process(1, "g0", 0.0, up_at=0.0),
        Process(2, "g1", 0.0, up_at=0.0),
    ]
    ask = Ask(0, 2, "g0", 60.0, "work", 25.0)
    ask.sent_at, ask.stored_at, ask.entry_id, ask.moves = 9.0, 9.1, b"1-1", []
    return history, ask, Run(10.0, 0, 1, b"1-1", 0.0), Run(22.0, 1, 2, b"1-1", 0.1)


@pytest.mark.parametrize(("stored", "expected"), [(None, "owner-closed"), (13.0, None), (16.0, "owner-closed")])
def test_an_owner_that_closed_is_a_cause_only_without_its_answer(stored: float | None, expected: str | None) -> None:
    history, ask, first, second = stand()
    history.processes[0].closing_at, history.processes[0].closed_at = 12.0, 15.0
    ask.replies = [] if stored is None else [Reply(stored, b"1-2", 0)]
    assert cause(history, ask, first, second) == expected


@pytest.mark.parametrize(("of", "expected"), [("g0", "deleted"), ("g1", "deleted"), ("", "deleted"), ("g2", None)])
def test_a_deletion_excuses_only_requests_of_its_group(of: str, expected: str | None) -> None:
    history, ask, first, second = stand()
    history.redis = [Trouble(11.0, 11.0, "group", of)]
    assert cause(history, ask, first, second) == expected


@pytest.mark.parametrize(
    ("at", "lost", "expected"),
    [(12.0, b"1-1", "writes-lost"), (12.0, b"1-2", "writes-lost"), (12.0, b"7-7", None), (23.0, b"1-1", None)],
)
def test_lost_writes_excuse_only_the_request_that_they_are_of(at: float, lost: bytes, expected: str | None) -> None:
    history, ask, first, second = stand()
    ask.replies = [Reply(11.0, b"1-2", 0)]
    history.redis = [Trouble(9.9, at, "failover")]
    history.lost = [(at, frozenset({lost}))]
    assert cause(history, ask, first, second) == expected


@pytest.mark.parametrize(("silence", "expected"), [(9.9, None), (10.0, "owner-silent")])
def test_an_owner_is_silent_from_ten_seconds_on(silence: float, expected: str | None) -> None:
    history, ask, first, second = stand()
    history.processes[0].troubles = [Trouble(11.0, 21.0, "paused")]
    ask.moves = [Move(21.9, 0, 1, silence, False)]
    assert cause(history, ask, first, second) == expected


def test_the_time_until_all_is_quiet_is_the_one_that_is_printed() -> None:
    printed = re.search(r"\*Quiescence\*: for (\d+) s", (SHARED / "SPEC.md").read_text(encoding="utf-8"))
    assert printed is not None
    assert float(printed[1]) == QUIESCENCE
