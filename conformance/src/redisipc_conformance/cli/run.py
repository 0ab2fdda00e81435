"""``run``: makes a plan from the options, runs it, and turns the results into reports and an exit code."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys

from ..report import write
from ..report.live import Live
from ..report.style import painter
from ..scenario.corpus import declared_ids
from ..verdict import known_write
from ..verdict.profiles import Exit, failures, gravest, run_exit
from . import last
from .plan import plan_of
from .session import Session


def run(options: argparse.Namespace) -> int:
    """Returns the exit code."""
    plan = plan_of(options)
    live = Live(sys.stdout, painter(sys.stdout), width=_width(), quiet=options.quiet, verbose=options.verbose)
    session = Session(plan, live)
    report, codes = asyncio.run(session.run())
    report.spec_url = options.spec_url
    codes += [run_exit(each) for each in report.runs]
    for each in report.runs:
        wrong = {finding.scenario.id for finding in failures(each)}
        last.remember(options.command, (result.id for result in each.results), wrong)
    if options.write_known_failures:
        print(known_write.brought_up_to_date(plan.judge, report.runs, declared_ids(plan.corpus)))
    for problem in write.write_all(report, plan.reports):
        print(f"redisipc-conformance: {problem}", file=sys.stderr)
        codes.append(Exit.USAGE)
    return gravest(codes or [Exit.NOTHING_CHECKED])


def _width() -> int:
    return min(shutil.get_terminal_size((110, 24)).columns, 160)
