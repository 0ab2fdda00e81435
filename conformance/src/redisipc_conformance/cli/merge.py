"""``report merge``: several runs' JSON reports as one report of any kind."""

from __future__ import annotations

import argparse

from ..report import interop, write
from ..report.errors import ReportError
from ..report.json_report import merge as merged
from ..report.json_report import read
from ..report.summary import verdict_lines
from ..verdict.profiles import Exit
from .problem import Problem


def merge(options: argparse.Namespace) -> int:
    """Exit code 0 when the files were written, whatever the runs' verdicts are: each run had its own exit code."""
    try:
        report = merged([read(path) for path in options.reports])
        report.interop = interop.read(options.interop) if options.interop is not None else None
    except ReportError as error:
        raise Problem(Exit.USAGE, str(error)) from error
    report.spec_url = options.spec_url
    problems = write.write_all(report, [each for given in options.report for each in given])
    if problems:
        raise Problem(Exit.USAGE, "; ".join(problems))
    for run in report.runs:
        print("\n".join(verdict_lines(run)))
    return Exit.CONFORMANT
