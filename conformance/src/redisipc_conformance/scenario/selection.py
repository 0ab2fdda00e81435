"""Which scenarios run: ids and globs, ``--profile``, ``-k`` expressions, ``--lf``."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..testee.claims import needs


class SelectionError(Exception):
    """A selection that cannot be understood, or that selects nothing by mistake. The message tells the user."""


class Selectable(Protocol):
    """The attributes that the selection reads; every scenario has them."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def profile(self) -> str: ...
    @property
    def thorough(self) -> bool: ...


S = TypeVar("S", bound=Selectable)


@dataclass(frozen=True)
class Selection:
    """The scenarios that the user asked for. Empty: everything."""

    ids: tuple[str, ...] = ()
    """Scenario ids or globs, e.g. ``entry/*``."""
    profiles: tuple[str, ...] = ()
    words: str = ""
    """An expression as for ``-k``."""
    failed: frozenset[str] | None = None
    """Ids that failed last time (``--lf``)."""
    thorough: bool = True
    """Include the further questions. A user who names scenarios, by id or word, also means those."""

    @property
    def everything(self) -> bool:
        """Whether the user left nothing out, so that the run may judge a whole profile."""
        return not self.ids and not self.words and self.failed is None

    def __str__(self) -> str:
        parts = [" ".join(self.ids), f"-k '{self.words}'" if self.words else ""]
        parts += ["--profile " + ",".join(self.profiles) if self.profiles else ""]
        parts += ["" if self.failed is None else "--lf"]
        return " ".join(part for part in parts if part) or "everything"


def select(scenarios: Sequence[S], selection: Selection, about: Callable[[S], Iterable[str]] = lambda _: ()) -> list[S]:
    """The selected scenarios, in the given order.

    ``about``: further texts of a scenario that a ``-k`` word may occur in (check names, requirement ids, needs).
    Raises SelectionError for an unknown id, an unknown profile, or a broken expression.
    """
    _refuse_unknown(scenarios, selection)
    holds = compile_words(selection.words) if selection.words else None
    chosen = []
    for scenario in scenarios:
        if selection.ids and not any(fnmatch.fnmatchcase(scenario.id, pattern) for pattern in selection.ids):
            continue
        if selection.profiles and scenario.profile not in selection.profiles:
            continue
        if selection.failed is not None and scenario.id not in selection.failed:
            continue
        if scenario.thorough and selection.everything and not selection.thorough:
            continue
        if holds and not holds([scenario.id, scenario.title, scenario.profile, *about(scenario)]):
            continue
        chosen.append(scenario)
    return chosen


def _refuse_unknown(scenarios: Sequence[Selectable], selection: Selection) -> None:
    ids = [scenario.id for scenario in scenarios]
    for pattern in selection.ids:
        if not fnmatch.filter(ids, pattern):
            near = [id for id in ids if pattern.strip("*/").split("/")[-1] in id][:3]
            hint = f"; did you mean {', '.join(near)}?" if near else "; `redisipc-conformance list` shows them all"
            raise SelectionError(f"no scenario is called {pattern}{hint}")
    profiles = {scenario.profile for scenario in scenarios} | needs().keys()
    for profile in selection.profiles:
        if profile not in profiles:
            raise SelectionError(f"no profile is called {profile}; there are {', '.join(sorted(profiles))}")


Predicate = Callable[[Collection[str]], bool]
_TOKEN = re.compile(r"\s*(\(|\)|[^\s()]+)")


def compile_words(expression: str) -> Predicate:
    """``-k``: words joined by ``and``, ``or``, ``not`` and brackets; a word holds where it occurs in one of the texts.

    Upper and lower case are alike. Raises SelectionError.
    """
    tokens = [match[1] for match in _TOKEN.finditer(expression)]
    if not tokens:
        raise SelectionError("-k: an empty expression selects nothing")
    predicate, rest = _either(tokens)
    if rest:
        raise SelectionError(f"-k {expression!r}: expected 'and', 'or' or the end, not {rest[0]!r}")
    return predicate


def _either(tokens: list[str]) -> tuple[Predicate, list[str]]:
    left, tokens = _both(tokens)
    while tokens[:1] == ["or"]:
        right, tokens = _both(tokens[1:])
        left = _or(left, right)
    return left, tokens


def _both(tokens: list[str]) -> tuple[Predicate, list[str]]:
    left, tokens = _term(tokens)
    while tokens[:1] == ["and"]:
        right, tokens = _term(tokens[1:])
        left = _and(left, right)
    return left, tokens


def _term(tokens: list[str]) -> tuple[Predicate, list[str]]:
    if not tokens or tokens[0] in ("and", "or", ")"):
        raise SelectionError(f"-k: expected a word, not {tokens[0] if tokens else 'the end'!r}")
    first, rest = tokens[0], tokens[1:]
    if first == "not":
        inner, rest = _term(rest)
        return (lambda texts: not inner(texts)), rest
    if first == "(":
        inner, rest = _either(rest)
        if rest[:1] != [")"]:
            raise SelectionError("-k: a bracket is not closed")
        return inner, rest[1:]
    word = first.lower()
    return (lambda texts: any(word in text.lower() for text in texts)), rest


def _or(left: Predicate, right: Predicate) -> Predicate:
    return lambda texts: left(texts) or right(texts)


def _and(left: Predicate, right: Predicate) -> Predicate:
    return lambda texts: left(texts) and right(texts)
