"""Rows of a run made by hand, for tests of the judge and of the tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chaos.judge.judge import Judge
from chaos.judge.record import Record, read

ASK = 1_000_001
"""The request that most tests are about: the first one of process 1."""


class Rows:
    """A folder of rows. Process 0 answers in the group stock, process 1 asks for the group web; both come up at 1 s."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for process, group in enumerate(("stock", "web")):
            self.process(process, group)

    def process(self, number: int, group: str, at: float = 0.0, runtime: str = "threads", places: int = 16) -> None:
        self.add(number, "begin", at, number, 1000 + number, runtime, group, places)
        self.add(number, "up", at + 1.0, f"{number:06x}")

    def add(self, process: int | None, *row: Any) -> None:
        name = "harness.jsonl" if process is None else f"process-{process:03d}.jsonl"
        with (self.folder / name).open("a") as file:
            file.write(json.dumps(row) + "\n")

    # what usually happens

    def send(
        self, at: float, *, ask: int = ASK, kind: str = "quick", timeout: float = 5.0, stored: bool = True
    ) -> None:
        self.add(1, "send", at, ask, "stock", timeout, kind, 0.0)
        if stored:
            self.add(None, "stored", at + 0.001, ask, f"id{ask}", f"{ask}-0")

    def run(
        self, at: float, *, process: int = 0, run: int = 1, ask: int = ASK, starts: int = 1, ends: float | None = None
    ) -> None:
        self.add(process, "run", at, ask, run, starts, f"{ask}-0", f"id{ask}")
        if ends is not None:
            self.add(process, "end", ends, ask, run)

    def answered(self, at: float, *, ask: int = ASK) -> None:
        self.add(None, "answered", at, f"id{ask}", f"{ask}-1")
        self.add(None, "deleted", at, f"{ask}-0")

    def outcome(
        self, at: float, status: str = "fulfilled", answer: list[int] | None = None, text: str = "", *, ask: int = ASK
    ) -> None:
        if answer is None and status == "fulfilled":
            answer = [ask, 0, 1]
        self.add(1, "outcome", at, ask, status, answer, text)

    def good(self, at: float, *, ask: int = ASK) -> None:
        """A request that goes as it should, within 10 ms."""
        self.send(at, ask=ask)
        self.run(at + 0.002, ask=ask, ends=at + 0.003)
        self.answered(at + 0.005, ask=ask)
        self.outcome(at + 0.01, ask=ask)

    def fault(
        self,
        name: str,
        start: float,
        end: float,
        *,
        redis: str = "",
        members: str = "",
        who: tuple[int, ...] = (),
        after: float = 0.0,
        proof: str = "proven",
    ) -> None:
        self.add(None, "fault", end, name, start, end, redis, members, list(who), after, proof)

    def rest(self, at: float, left: list[Any] | None = None) -> None:
        """Nothing more is asked; what was left then; and all leave."""
        self.add(None, "quiet", at)
        self.add(None, "left", at + 1.0, left or [])

    def leave(self, process: int, at: float) -> None:
        self.add(process, "closing", at)
        self.add(process, "closed", at + 0.2)

    # what is made of it

    def record(self) -> Record:
        return read(self.folder)

    def broken(self) -> list[tuple[str, str]]:
        """The violations: guarantee and text."""
        self.rest(100.0)
        record = self.record()
        Judge(record).check()
        return [(name, text) for name, text, _ in record.history.violations]
