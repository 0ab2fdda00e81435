"""The results of `make interop`, implementations against each other, as a section of the HTML report."""

from __future__ import annotations

import json
from pathlib import Path

from ..results import Interop, Scene, Square
from .errors import ReportError

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
