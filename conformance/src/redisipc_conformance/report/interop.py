"""The results of `make interop`, implementations against each other, as a section of the HTML report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .json_report import ReportError


@dataclass(frozen=True)
class Scene:
    """One scene between these implementations; the first one asks, dies, or is replaced first."""

    who: tuple[str, ...]
    held: bool
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Square:
    """Scenes of two, by the first and the second: ``cells[first][second]``, None where the two were not tried."""

    title: str
    corner: str
    names: tuple[str, ...]
    cells: dict[str, dict[str, Scene | None]]


@dataclass(frozen=True)
class Interop:
    """``absent``: who did not take part, and why."""

    squares: tuple[Square, ...]
    groups: dict[str, tuple[Scene, ...]]
    absent: dict[str, str]
    held: int
    total: int


SQUARES = {
    "asks": ("Requester by responder", "asks \\ answers"),
    "killed": ("A member is killed, another language takes over", "killed \\ takes over"),
}


def read(path: Path) -> Interop:
    """The file that `interop/matrix/run.py` wrote. Raises ReportError for any other file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        scenes = [
            (cell["scene"], Scene(tuple(cell["who"]), cell["held"], tuple(cell["lines"]))) for cell in found["cells"]
        ]
        absent = dict(found["absent"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReportError(f"{path} is not a result of make interop: {error}") from error
    groups: dict[str, list[Scene]] = {}
    for kind, scene in scenes:
        if kind not in SQUARES:
            groups.setdefault(kind, []).append(scene)
    return Interop(
        squares=tuple(_square(kind, [scene for name, scene in scenes if name == kind]) for kind in SQUARES),
        groups={kind: tuple(row) for kind, row in groups.items()},
        absent=absent,
        held=sum(scene.held for _, scene in scenes),
        total=len(scenes),
    )


def _square(kind: str, scenes: list[Scene]) -> Square:
    title, corner = SQUARES[kind]
    names = tuple(dict.fromkeys(name for scene in scenes for name in scene.who))
    by_pair = {scene.who: scene for scene in scenes}
    cells = {first: {second: by_pair.get((first, second)) for second in names} for first in names}
    return Square(title, corner, names, cells)
