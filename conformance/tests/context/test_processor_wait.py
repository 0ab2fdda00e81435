"""How long threads waited for a processor, as Linux counts it."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from redisipc_conformance.context import processor_wait
from redisipc_conformance.context.processor_wait import ProcessorWait, excused_wait


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(processor_wait, "_PROC", tmp_path)
    return tmp_path


def thread(proc: Path, pid: int, number: int, waited: float, children: str = "") -> None:
    folder = proc / str(pid) / "task" / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schedstat").write_text(f"1 {int(waited * 1e9)} 7\n")
    (folder / "children").write_text(children)


def test_of_a_process_the_thread_counts_that_waited_most_since_the_last_look(proc: Path) -> None:
    thread(proc, 7, 7, 1.0)
    thread(proc, 7, 8, 5.0)
    waits = ProcessorWait()
    waits.watch(7)
    began = time.monotonic()
    thread(proc, 7, 7, 1.3)
    thread(proc, 7, 8, 5.1)
    assert waits.since([7], began) == pytest.approx(0.3)
    thread(proc, 7, 8, 5.5)
    assert waits.since([7], began) == pytest.approx(0.7)
    assert waits.worst_second([7], began) == pytest.approx(0.7)
    assert waits.since([7], time.monotonic()) == 0


def test_the_children_of_a_process_wait_for_it(proc: Path) -> None:
    thread(proc, 7, 7, 0.0, "9")
    thread(proc, 9, 9, 0.0)
    waits = ProcessorWait()
    waits.watch(7)
    thread(proc, 9, 9, 0.4)
    assert waits.since([7], 0.0) == pytest.approx(0.4)


def test_what_has_ended_or_cannot_be_counted_waited_for_nothing(proc: Path) -> None:
    waits = ProcessorWait()
    waits.watch(7)
    assert waits.since([7, 8], 0.0) == 0
    assert waits.worst_second([7], 0.0) == 0


def test_the_looks_at_a_process_of_very_many_threads_take_little_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    looks: list[float] = []

    def counts(pid: int) -> list[tuple[str, tuple[int, int]]]:
        looks.append(clock[0])
        clock[0] += 0.3
        return [("7", (0, 0))]

    monkeypatch.setattr(processor_wait, "_counts", counts)
    monkeypatch.setattr(processor_wait, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    waits = ProcessorWait()
    waits.watch(7)
    while clock[0] < 160:
        clock[0] += processor_wait.PERIOD
        waits.look()
    assert 5 <= len(looks) <= 12


@pytest.mark.parametrize(
    ("ran", "excused"),
    [(0.1, 0.9), (1.4, 0.9), (1.6, 0.0)],
    ids=["others-hold-the-processors", "one-and-a-half-of-two", "the-testee-holds-them-itself"],
)
def test_a_testee_that_keeps_all_processors_busy_excuses_nothing(ran: float, excused: float) -> None:
    before = {"7": (0, 0), "8": (0, 0)}
    now = {"7": (int(ran * 1e9 / 2), int(0.9e9)), "8": (int(ran * 1e9 / 2), 0)}
    assert excused_wait(before, now, span=1.0, processors=2) == pytest.approx(excused)
