"""Plain tables of text."""

from __future__ import annotations

from collections.abc import Sequence


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns fit their texts, with figures aligned to the right."""
    widths = [max(len(row[index]) for row in [headings, *rows]) for index in range(len(headings))]

    def line(row: Sequence[str]) -> str:
        cells = []
        for index, cell in enumerate(row):
            figure = cell.replace(".", "").replace("/", "").replace(" ", "").replace("-", "").isdigit()
            cells.append(cell.rjust(widths[index]) if figure and index else cell.ljust(widths[index]))
        return "  ".join(cells).rstrip()

    return "\n".join([line(headings), "  ".join("-" * width for width in widths), *(line(row) for row in rows)])
