"""``python -m benchmarks.publish``: writes the figures of the stored run into the README, between its two marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .figures import Line, Rest
from .report import extras, table
from .targets import judged

HERE = Path(__file__).parent
STORED, README = HERE / "stored.json", HERE / "README.md"
BEGIN, END = "<!-- begin run -->", "<!-- end run -->"


def section(stored: dict[str, Any]) -> str:
    """The text of the README about a run: its versions, the targets, and the tables."""
    lines = [Line.of(one) for one in stored["lines"]]
    idle = [Rest(*rest) for rest in stored["idle"]]
    versions = "\n".join(f"- {name} {version}" for name, version in stored["versions"].items())
    load = f", load {stored['load'][0]:.1f}" if stored.get("load") else ""
    about = f"{stored['when']}: {stored['rounds']} rounds, {stored['scale']:g} of all requests{load}."
    targets = "\n".join(["### Targets", "", *judged(lines, idle)])
    return "\n\n".join([about, versions, targets, table(lines).strip(), extras(idle, stored["import_ms"]).strip()])


def publish(stored: Path = STORED, readme: Path = README) -> None:
    """Replaces the text between the marks. Raises ValueError if they are missing."""
    text = readme.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{readme} needs one line {BEGIN} and one line {END} after it")
    front, _, rest = text.partition(BEGIN)
    readme.write_text(f"{front}{BEGIN}\n{section(json.loads(stored.read_text()))}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    publish()
