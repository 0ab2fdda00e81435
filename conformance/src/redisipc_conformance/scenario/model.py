"""A scenario as data: the checked content of the file, with all line numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .yaml import Lines

ROW_NAME = "${row.name}"
"""The placeholder in the name of a check that exists once for each row."""
OWN_SERVER = frozenset({"flush", "restart", "config", "oom"})
OWN_PROCESSES = frozenset({"kill", "pause", "large"})


@dataclass(frozen=True)
class Check:
    """One check: a sentence that a scenario proves. `requirements`: its own, else the scenario's."""

    name: str
    text: str
    requirements: tuple[str, ...]
    line: int = 0
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step: its word, its arguments as written, and the modifiers beside it."""

    word: str
    arguments: Any
    line: int
    bind: str | None = None
    """The modifier `as`."""
    checks: tuple[str, ...] = ()
    within: Any = None
    now: bool = False
    throughout: Any = None
    note: str = ""
    has_reply: bool = False
    reply: Any = None
    blocks: tuple[tuple[Step, ...], ...] = ()
    """The steps inside it: of `together` one block for each side, else one."""

    def walk(self) -> Iterator[Step]:
        """It and every step inside it."""
        yield self
        for block in self.blocks:
            for step in block:
                yield from step.walk()

    def __str__(self) -> str:
        return self.word


@dataclass(frozen=True)
class Scenario:
    """One file."""

    id: str
    title: str
    profile: str
    checks: tuple[Check, ...]
    steps: tuple[Step, ...]
    file: str
    """As shown to the reader: relative to the working directory where it lies below it."""
    about: str = ""
    needs: frozenset[str] = frozenset()
    features: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """As the head says; else they follow from the steps."""
    thorough: bool = False
    """Only a thorough run plays it: each of its statements also has a check in another scenario."""
    server: str = ""
    formerly: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    """As written: their values are not evaluated yet."""
    lines: Lines = field(default_factory=Lines, compare=False, repr=False)
    text: str = field(default="", compare=False, repr=False)
    """The file's own text, for `show`."""

    @property
    def area(self) -> str:
        return self.id.split("/")[0]

    @property
    def own_server(self) -> bool:
        return bool(self.needs & OWN_SERVER)

    @property
    def own_processes(self) -> bool:
        return bool(self.needs & OWN_PROCESSES) or any(step.word == "block" for step in self.walk())

    @property
    def own_connection(self) -> bool:
        """Whether the runner sends its commands over a connection of its own: they are so large that others would wait."""
        return "large" in self.needs

    def walk(self) -> Iterator[Step]:
        """Every step, those inside others too."""
        for step in self.steps:
            yield from step.walk()

    @property
    def row_by_row(self) -> bool:
        """Whether an `each-row` step goes through the rows; else the whole scenario is run for each."""
        return any(step.word == "each-row" for step in self.walk())
