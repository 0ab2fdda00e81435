"""``--report KIND=FILE,...``: which files are wanted, and writing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..verdict.run import Report
from . import badge, html, json_report, junit, markdown

WRITERS: dict[str, Callable[[Report, Path], None]] = {
    "junit": junit.write,
    "json": json_report.write,
    "html": html.write,
    "markdown": markdown.write,
    "badge": badge.write,
}


class ReportArgumentError(ValueError):
    """A ``--report`` that cannot be understood."""


def parse(arguments: Iterable[str]) -> list[tuple[str, Path]]:
    """``["junit=a.xml,json=b.json", "html=c.html"]`` to kinds and files. Raises ReportArgumentError."""
    wanted = []
    for part in (part for argument in arguments for part in argument.split(",") if part):
        kind, sign, file = part.partition("=")
        if kind not in WRITERS or not sign or not file:
            raise ReportArgumentError(f"--report takes KIND=FILE with KIND of {', '.join(WRITERS)}, not {part!r}")
        wanted.append((kind, Path(file)))
    return wanted


def write_all(report: Report, wanted: Iterable[tuple[str, Path]]) -> list[str]:
    """Writes them; the folders are made. Returns a sentence for each file that could not be written."""
    problems = []
    for kind, path in wanted:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            WRITERS[kind](report, path)
        except OSError as error:
            problems.append(f"the {kind} report cannot be written to {path}: {error.strerror}")
        except Exception as error:
            # A fault in one writer must not prevent the other reports.
            problems.append(f"the {kind} report cannot be made: {type(error).__name__}: {error}")
    return problems
