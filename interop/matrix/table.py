"""The results of the scenes, as a table for the terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Cell:
    """One scene between these implementations (the first one asks, dies, or is replaced first)."""

    scene: str
    who: list[str]
    held: bool
    lines: list[str]
    seconds: float

    def __str__(self) -> str:
        return "\n    ".join(
            [
                f"{'held' if self.held else 'FAILED'}: {self.scene}: {', '.join(self.who)} ({self.seconds:.0f} s)",
                *self.lines,
            ]
        )

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def show(cells: list[Cell]) -> str:
    """Two scenes are squares, requester by responder; the others are lists."""
    out = []
    for scene, row, column in (("asks", "asks", "answers"), ("killed", "killed", "takes over")):
        found = {(cell.who[0], cell.who[1]): cell.held for cell in cells if cell.scene == scene}
        if not found:
            continue
        names = list(dict.fromkeys(name for pair in found for name in pair))
        width = max(map(len, names))
        head = f"{row} \\ {column}"
        out += ["", f"{head:<{max(width, len(head))}}  " + "  ".join(f"{name:>{width}}" for name in names)]
        for one in names:
            marks = [{True: "held", False: "FAILED", None: "-"}[found.get((one, other))] for other in names]
            out.append(f"{one:<{max(width, len(head))}}  " + "  ".join(f"{mark:>{width}}" for mark in marks))
    for scene in ("one group", "rolling restart"):
        rows = [cell for cell in cells if cell.scene == scene]
        if rows:
            out += [
                "",
                f"{scene}:",
                *(f"  {'held' if cell.held else 'FAILED':<6}  {', '.join(cell.who)}" for cell in rows),
            ]
    held = sum(cell.held for cell in cells)
    out += ["", f"{held} of {len(cells)} scenes held." + ("" if held == len(cells) else " What failed stands above.")]
    return "\n".join(out)
