"""Makes a ``History`` of the rows of a run: asks, processes, and their troubles by faults and by the machine."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.simulation.history import Ask, History, Move, Process, Reply, Run, Trouble

from .rowfile import Life, Row, Said, Struck, process_files, rows

KINDS = {"raise": "reject", "ignore": "silent", "short": "work", "medium": "work", "long": "work", "busy": "work",
         "cancel": "work", "big": "quick"}  # fmt: skip
"""The kinds of work that have another name in the simulation."""
FOR_SOME = "full"
"""In this fault Redis refuses some connections. The members of these are cut off, and their siblings may claim."""
NOBODY = 1 << 30
"""The number of a run that no history has."""


@dataclass
class Record:
    """A run in the form for the checker and the tables. ``ends``: the end of each run, by ask, process and run."""

    history: History = field(default_factory=lambda: History(0))
    lives: list[Life] = field(default_factory=list)
    faults: list[Struck] = field(default_factory=list)
    ends: dict[tuple[int, int, int], float] = field(default_factory=dict)
    unsure_answers: dict[bytes, float] = field(default_factory=dict)
    deletions: dict[int, float] = field(default_factory=dict)
    """The time at which the deletion of each request was written, by ask. Its reply may have come later."""
    moves: dict[int, list[Move]] = field(default_factory=dict)
    """The claims that took a request from its owner, by ask."""
    left: list[Row] | None = None
    left_at: float = 0.0
    still: list[tuple[float, float]] = field(default_factory=list)
    """The times in which the harness or Redis stood still."""
    quiet_at: float = float("inf")


def read(folder: Path) -> Record:
    """The record of the run whose rows are in this folder."""
    return _Reader(folder).read()


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = Record()
        self.history = self.record.history
        self.asks: dict[int, Ask] = {}
        self.runs: dict[int, list[tuple[float, int, int, int, str]]] = {}
        self.started: dict[int, list[tuple[float, int, int]]] = {}
        self.ids: dict[int, tuple[str, str]] = {}
        self.by_entry: dict[str, Ask] = {}
        self.answers: dict[int, list[int]] = {}
        self.stalls: dict[int, list[tuple[float, float]]] = {}
        self.capacity: dict[int, int] = {}

    def read(self) -> Record:
        for path in process_files(self.folder):
            self._process(path)
        self.history.asks = [self.asks[number] for number in sorted(self.asks)]
        for ask in self.history.asks:
            self._runs_of(ask)
        for process in self.history.processes:
            self._places_of(process)
        for row in rows(self.folder / "harness.jsonl"):
            self._harness(row)
        for process in self.history.processes:
            self._troubles_of(process)
        return self.record

    def _harness(self, row: Row) -> None:
        take = self._HARNESS.get(row[0])
        if take is not None:
            take(self, row)

    # one process

    def _process(self, path: Path) -> None:
        number = int(path.stem.partition("-")[2])
        while len(self.history.processes) <= number:
            # A process that wrote nothing did not take part.
            self.history.processes.append(Process(len(self.history.processes), "", float("inf")))
            self.record.lives.append(Life(len(self.record.lives), ""))
        process, life = self.history.processes[number], self.record.lives[number]
        for row in rows(path):
            take = self._PROCESS.get(row[0])
            if take is not None:
                take(self, process, life, row)

    def _begin(self, process: Process, life: Life, row: Row) -> None:
        _, process.started_at, _, _, life.runtime, process.group, self.capacity[process.number] = row

    def _up(self, process: Process, life: Life, row: Row) -> None:
        process.up_at, life.instance = row[1], row[2]

    def _send(self, process: Process, life: Life, row: Row) -> None:
        _, time, number, to, timeout, kind, seconds = row
        ask = Ask(number, process.number, to, timeout, str(KINDS.get(kind, kind)), seconds)
        ask.sent_at, ask.deadline = time, time + timeout
        self.asks[number] = ask

    def _cancel(self, process: Process, life: Life, row: Row) -> None:
        self.asks[row[2]].cancelled_at = row[1]

    def _outcome(self, process: Process, life: Life, row: Row) -> None:
        _, time, number, status, answer, text = row
        ask = self.asks[number]
        ask.outcomes.append(time)
        if len(ask.outcomes) > 1:
            return
        ask.status, ask.reason = status, text
        if answer is not None:
            self.answers[number] = answer
        elif status in ("fulfilled", "rejected"):
            ask.content = text.encode()

    def _run(self, process: Process, life: Life, row: Row) -> None:
        _, time, number, run, starts, entry, id = row
        self.runs.setdefault(number, []).append((time, process.number, run, starts, entry))
        self.started.setdefault(process.number, []).append((time, number, run))
        self.ids[number] = id, entry
        process.starts.append(time)

    def _end(self, process: Process, life: Life, row: Row) -> None:
        self.record.ends[row[2], process.number, row[3]] = row[1]

    def _told(self, process: Process, life: Life, row: Row) -> None:
        life.said.append(Said(row[1], process.number, row[2], row[3]))

    def _down(self, process: Process, life: Life, row: Row) -> None:
        life.downs.append((row[2], row[1]))

    def _still(self, process: Process, life: Life, row: Row) -> None:
        self.stalls.setdefault(process.number, []).append((row[2], row[1]))

    def _sample(self, process: Process, life: Life, row: Row) -> None:
        life.samples.append(tuple(row[1:]))

    def _note(self, process: Process, life: Life, row: Row) -> None:
        life.notes.append((row[1], row[2]))

    def _closing(self, process: Process, life: Life, row: Row) -> None:
        process.closing_at = row[1]

    def _closed(self, process: Process, life: Life, row: Row) -> None:
        process.closed_at = row[1]

    _PROCESS: ClassVar[dict[str, Callable[[_Reader, Process, Life, Row], None]]] = {
        "begin": _begin, "up": _up, "send": _send, "cancel": _cancel, "outcome": _outcome, "run": _run, "end": _end,
        "told": _told, "log": _told, "down": _down, "still": _still, "sample": _sample, "note": _note,
        "closing": _closing, "closed": _closed,
    }  # fmt: skip

    # the rows of the harness

    def _fault(self, row: Row) -> None:
        fault = Struck(*row[2:])
        self.record.faults.append(fault)
        if fault.to_redis:
            self.history.redis.append(Trouble(fault.start, fault.end, fault.to_redis))
            if fault.step:
                self.history.steps.append((fault.start, fault.step))
        if fault.to_members:
            for number in fault.processes:
                trouble = Trouble(fault.start, fault.end + fault.after, fault.to_members)
                self.history.processes[number].troubles.append(trouble)

    def _killed(self, row: Row) -> None:
        self.history.processes[row[2]].crashed_at = row[1]

    def _hung(self, row: Row) -> None:
        self.record.lives[row[2]].hung = True

    def _exit(self, row: Row) -> None:
        self.record.lives[row[2]].code = row[3]

    def _stored(self, row: Row) -> None:
        _, time, number, id, entry = row
        ask = self.asks.get(number)
        if ask is None:
            return
        ask.copies += 1
        if ask.entry_id is None:
            ask.id, ask.entry_id, ask.stored_at = id.encode(), entry.encode(), time
            self.history.by_id[ask.id] = ask
            self.by_entry[entry] = ask

    def _answered(self, row: Row) -> None:
        ask = self.history.by_id.get(row[2].encode())
        if ask is not None:
            ask.replies.append(Reply(row[1], row[3].encode(), -1))

    def _deleted(self, row: Row) -> None:
        ask = self.by_entry.get(row[2])
        if ask is not None and ask.deleted_at is None:
            ask.deleted_at = row[1]
            if len(row) > 3:
                self.record.deletions[ask.number] = row[3]

    def _unsure(self, row: Row) -> None:
        _, _, what, key, sent = row
        if what == "answered":
            self.record.unsure_answers[key.encode()] = sent
        elif (ask := self.by_entry.get(key)) is not None:
            ask.deleted_at = min(sent, ask.deleted_at or sent)

    def _moved(self, row: Row) -> None:
        _, time, entry, before, after, silence = row
        ask = self.by_entry.get(entry)
        if ask is not None:
            move = Move(time, self._process_of(before), self._process_of(after), silence, False)
            self.record.moves.setdefault(ask.number, []).append(move)

    def _process_of(self, consumer: str) -> int | None:
        """The process whose instance id is in the name of this consumer."""
        return next((life.number for life in self.record.lives if life.instance and life.instance in consumer), None)

    def _harness_still(self, row: Row) -> None:
        # All links stood still with the harness.
        self.record.still.append((row[2], row[1]))
        for process in self.history.processes:
            process.troubles.append(Trouble(row[2], row[1], "cut off"))

    def _quiet(self, row: Row) -> None:
        self.record.quiet_at = row[1]

    def _left(self, row: Row) -> None:
        self.record.left_at, self.record.left = row[1], row[2]

    _HARNESS: ClassVar[dict[str, Callable[[_Reader, Row], None]]] = {
        "fault": _fault, "killed": _killed, "hung": _hung, "exit": _exit, "stored": _stored, "answered": _answered,
        "deleted": _deleted, "unsure": _unsure, "moved": _moved, "still": _harness_still, "quiet": _quiet, "left": _left,
    }  # fmt: skip

    # derived from all rows

    def _runs_of(self, ask: Ask) -> None:
        """Sorts runs by time. An answer names its run by its place in this order, as in the simulation."""
        found = sorted(self.runs.get(ask.number, ()))
        if ask.number in self.ids:
            # The XADD may have got no reply. The handler still knows the ids of the request.
            id, entry = self.ids[ask.number]
            ask.id = id.encode()
            self.history.by_id[ask.id] = ask
            if entry:
                self.by_entry[entry] = ask
        ask.runs = [Run(time, process, starts, entry.encode()) for time, process, _, starts, entry in found]
        places = {(process, run): place for place, (_, process, run, _, _) in enumerate(found, 1)}
        answer = self.answers.get(ask.number)
        if answer is not None:
            place = places.get((answer[1], answer[2]), NOBODY)
            ask.content = b"[%d,%d]" % (answer[0], place)
        elif ask.status == "rejected" and ask.kind == "reject" and _of_the_exception(ask) and ask.runs:
            ask.content = b"[%d,%d]" % (ask.number, len(ask.runs))

    def _places_of(self, process: Process) -> None:
        """The times in which all its handlers were busy."""
        changes: list[tuple[float, int]] = []
        for time, number, run in self.started.get(process.number, ()):
            later = number in self.asks and self.asks[number].kind == "later"
            end = time if later else self.record.ends.get((number, process.number, run), float("inf"))
            changes += [(time, 1), (end, -1)]
        changes.sort()
        taken, since = 0, 0.0
        for time, step in changes:
            if step > 0 and taken + 1 == self.capacity.get(process.number, 0):
                since = time
            elif step < 0 and taken == self.capacity.get(process.number, 0):
                process.full.append((since, time))
            taken += step
        process.starts.sort()

    def _troubles_of(self, process: Process) -> None:
        """Adds the times in which the machine was busy, and those without a connection."""
        for start, end in joined(self.stalls.get(process.number, [])):
            process.troubles.append(Trouble(start, end, "paused"))
        starts = sorted((fault.start, fault.end) for fault in self.history.redis if fault.kind != FOR_SOME)
        for start, end in self.record.lives[process.number].downs:
            index = bisect_right(starts, (start + 0.5, float("inf")))
            away = any(last >= start - 0.5 for _, last in starts[:index])
            process.troubles.append(Trouble(start, end, "redis away" if away else "down"))


def joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The spans in order. Spans that touch are joined."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def seconds_in(spans: list[tuple[float, float]], start: float, end: float) -> float:
    """The seconds between ``start`` and ``end`` that are in at least one of the spans."""
    return sum(max(0.0, min(last, end) - max(first, start)) for first, last in joined(spans))


def _of_the_exception(ask: Ask) -> bool:
    """Whether a rejection has the text of the exception that the handler raised, or its kind, as configured."""
    text = (ask.content or b"").decode("utf-8", "replace")
    return f"boom {ask.number}" in text or "RuntimeError" in text or "handler_failed" in text
