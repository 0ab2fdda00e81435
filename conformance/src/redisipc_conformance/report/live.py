"""The progress of a run: one status line on a terminal, elsewhere a plain line from time to time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from ..results import Event, RunStarted, ScenarioEnded, ScenarioPutOff, ScenarioResult, ScenarioStarted, Verdict
from ..verdict.run import BAD
from .style import VERDICT_STYLE, Paint

PLAIN_EVERY = 10.0
"""Seconds between two progress lines where there is no terminal."""


class Live:
    """Follows the events. ``stream``: a terminal gets a status line that is redrawn, anything else only whole lines."""

    def __init__(self, stream: TextIO, paint: Paint, *, width: int = 100, quiet: bool = False, verbose: bool = False):
        self.stream, self.paint, self.width = stream, paint, width
        self.quiet, self.verbose = quiet, verbose
        self.terminal = stream.isatty() and not quiet
        self.total = 0
        self.expected: frozenset[str] = frozenset()
        """The scenarios that run. Others are not shown."""
        self.phase = ""
        """The work before the first scenario, such as the start of a server."""
        self.counts: Counter[Verdict] = Counter()
        self.running: dict[str, float] = {}
        self.put_off: set[str] = set()
        """Scenarios that the machine was too busy for: they wait until all others have ended."""
        self.drawn = False
        self.spoke = time.monotonic()

    def event(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.expected = frozenset(event.scenarios)
            self.total, self.phase = len(event.scenarios), ""
            self.counts.clear()
        elif isinstance(event, ScenarioStarted):
            self.put_off.discard(event.id)
            self.running[event.id] = time.monotonic()
        elif isinstance(event, ScenarioPutOff):
            self.running.pop(event.id, None)
            self.put_off.add(event.id)
        elif isinstance(event, ScenarioEnded) and event.result.id in self.expected:
            self.running.pop(event.result.id, None)
            self.put_off.discard(event.result.id)
            self.counts[event.result.verdict] += 1
            if self.verbose or event.result.verdict in BAD:
                self.say(self._ended(event.result))

    def tick(self) -> None:
        """Called a few times a second."""
        if self.quiet or not (self.total or self.phase):
            return
        if self.terminal:
            text = self.status()
            self.stream.write("\r\x1b[2K" + text[: self.width - 1])
            self.stream.flush()
            self.drawn = True
        elif self.total and time.monotonic() - self.spoke >= PLAIN_EVERY:
            self.say(self.status())

    def say(self, line: str) -> None:
        """Prints a line that stays."""
        self.clear()
        self.stream.write(line + "\n")
        self.stream.flush()
        self.spoke = time.monotonic()

    def lines(self, lines: Sequence[str]) -> None:
        """Prints a block of lines that stay."""
        self.clear()
        self.stream.write("\n".join(lines) + "\n")
        self.stream.flush()

    def clear(self) -> None:
        """Removes the status line."""
        if self.drawn:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
            self.drawn = False

    def status(self) -> str:
        """``[120/166] 118 pass, 2 fail; 12 running, longest reclaim/dead-owner 7 s``"""
        if not self.total:
            return self.phase
        ended = self.counts.total()
        counts = ", ".join(f"{self.counts[verdict]} {verdict.value}" for verdict in Verdict if self.counts[verdict])
        text = f"[{ended}/{self.total}] {counts or 'starting'}"
        if self.running:
            id, since = min(self.running.items(), key=lambda item: item[1])
            text += f"; {len(self.running)} running, longest {id} {time.monotonic() - since:.0f} s"
        if self.put_off:
            text += f"; {len(self.put_off)} will run again, as the machine was busy"
        return text

    def _ended(self, result: ScenarioResult) -> str:
        word = self.paint(f"{result.verdict.value:<14}", VERDICT_STYLE[result.verdict])
        wrong = [check.name for check in result.checks if check.verdict in BAD]
        more = f": {', '.join(wrong[:4])}" + (" ..." if len(wrong) > 4 else "") if wrong else ""
        return f"{word}{result.id}{more}" + self.paint(f"  {result.seconds:.1f} s", "dim")
