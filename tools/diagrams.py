"""Draws the tables and state machines of SPEC.md from the data in ``schemas/1.0/tables``.

``diagrams.py`` draws them again between the markers of SPEC.md; ``--check`` only fails if SPEC.md shows something else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from spec import SPEC, drawn, markers, with_drawn
from tables import Table, load, names


def cell(value: Any, code: bool = False) -> str:
    """One value as the text of a Markdown cell."""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list):
        text = ", ".join(map(str, value))
    else:
        text = str(value)
    if "|" in text or "\n" in text:
        raise ValueError(f"a cell must hold neither a bar nor a line break, but {text!r} does")
    return f"`{text}`" if code and text else text


def markdown(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    heads = list(headings)
    lines = [heads, ["---"] * len(heads), *(list(row) for row in rows)]
    return "".join("|" + "|".join(f" {text} " if text else " " for text in line) + "|\n" for line in lines)


def table(content: Table) -> str:
    """A table whose columns are named in the data."""
    columns = content["columns"]
    rows = ((cell(row[column["key"]], column.get("code", False)) for column in columns) for row in content["rows"])
    return markdown((column["heading"] for column in columns), rows)


def routing(content: Table) -> str:
    """The routing table: the words of its conditions and actions, and the statements."""
    columns = content["columns"]
    actions = {action["id"]: action["text"] for action in content["actions"]}
    rows = (
        [
            *(cell(column["values"][row[column["key"]]]) for column in columns),
            actions[row["action"]],
            cell(row["requirements"]),
        ]
        for row in content["rows"]
    )
    return markdown([*(column["heading"] for column in columns), "what is done", "statements"], rows)


def machine(content: Table) -> str:
    """A state machine in Mermaid: one arrow for each pair of states, with all events between them."""
    # Mermaid takes no space in the name of a state.
    known = {state["id"]: state["id"].replace(" ", "_") for state in content["states"]}
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in content["transitions"]:
        arrows.setdefault((known[row["from"]], known[row["to"]]), []).append(row["text"])
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{name}" as {short}' for name, short in known.items() if name != short]
    lines += [f"    [*] --> {known[content['initial']]}"]
    lines += [f"    {start} --> {end} : {'<br/>'.join(texts)}" for (start, end), texts in arrows.items()]
    lines += [f"    {known[last]} --> [*]" for last in content["final"]]
    return "\n".join([*lines, "```"]) + "\n"


def drawings() -> dict[str, str]:
    """All drawings, by the name of their markers."""
    found = {"routing": routing(load("routing"))}
    found |= {each["id"]: machine(each) for each in load("states")["machines"]}
    for name in names():
        found |= {each["id"]: table(each) for each in load(name).get("tables", ())}
    return found


def faults(text: str, wanted: Mapping[str, str]) -> list[str]:
    """The names of the drawings that are out of date in SPEC.md. Raises ValueError for a marker without a drawing."""
    shown = markers(text)
    for name in shown:
        if name not in wanted:
            raise ValueError(f"SPEC.md has the marker {name!r}, and schemas/1.0/tables has nothing to draw there")
    return [name for name in shown if drawn(text, name) != wanted[name]]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="what SPEC.md shows of schemas/1.0/tables")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where SPEC.md shows something else")
    options = parser.parse_args(arguments)
    text = SPEC.read_text(encoding="utf-8")
    wanted = drawings()
    try:
        wrong = faults(text, wanted)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if options.check and wrong:
        print(
            f"SPEC.md shows another {', '.join(wrong)} than schemas/1.0/tables; run make requirements", file=sys.stderr
        )
        return 1
    for name in wrong:
        text = with_drawn(text, name, wanted[name])
    if wrong:
        SPEC.write_text(text, encoding="utf-8")
        print(f"drew {', '.join(wrong)}")
    hidden = [name for name in wanted if name not in markers(text)]
    if hidden:
        print(f"SPEC.md has no marker for {', '.join(hidden)}: whoever reads it must see every table", file=sys.stderr)
    return 1 if hidden else 0


if __name__ == "__main__":
    sys.exit(main())
