"""The part of a wire transcript that explains a failure, with the number of each line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..results import Line

BEFORE = 14
"""Lines kept before the first wrong one."""
AFTER = 6
HEAD = 4
"""Lines kept from the beginning: how it was set up."""


@dataclass(frozen=True)
class Shown:
    """A line with its number in the whole transcript; ``line`` None: ``cut`` lines were left out here."""

    number: int
    line: Line | None
    wrong: bool = False
    cut: int = 0


def window(
    transcript: tuple[Line, ...], wrong: Collection[int] = (), *, before: int = BEFORE, after: int = AFTER
) -> list[Shown]:
    """The first lines, and those around each wrong one (around the end, if none is named).

    It counts the lines that were cut.
    """
    last = len(transcript) - 1
    marked = {number for number in wrong if 0 <= number <= last}
    keep = set(range(min(HEAD, last + 1)))
    for middle in marked or {last}:
        keep.update(range(max(0, middle - before), min(last, middle + after) + 1))
    shown: list[Shown] = []
    cut = 0
    for number, line in enumerate(transcript):
        if number not in keep:
            cut += 1
            continue
        if cut == 1:
            shown.append(Shown(number - 1, transcript[number - 1]))
        elif cut:
            shown.append(Shown(number - 1, None, cut=cut))
        cut = 0
        shown.append(Shown(number, line, wrong=number in marked))
    if cut:
        shown.append(Shown(last, None, cut=cut))
    return shown
