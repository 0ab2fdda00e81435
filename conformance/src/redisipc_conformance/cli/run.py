"""``run``: from the command line to a plan, from the plan's runs to reports and an exit code."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from ..engine.run import Settings
from ..report import write
from ..report.style import painter
from ..requirements import Requirements
from ..scenario.corpus import corpus, declared_ids
from ..verdict.judge import Judge
from ..verdict.known import KnownFailures, KnownFailuresError
from ..verdict.known_write import rewrite
from ..verdict.profiles import Exit, failures, gravest, run_exit
from ..verdict.run import Report
from . import last
from .listing import chosen
from .problem import Problem
from .session import Plan, Session, Wish

JOBS = 16
"""Scenarios at a time: nearly all of their time is waiting."""


def run(options: argparse.Namespace) -> int:
    plan = _plan(options)
    try:
        wanted = write.parse(options.report)
    except write.ReportArgumentError as error:
        raise Problem(Exit.USAGE, str(error)) from error
    session = Session(
        plan, sys.stdout, painter(sys.stdout), width=_width(), quiet=options.quiet, verbose=options.verbose
    )
    report, codes = asyncio.run(session.run())
    report.spec_url = options.spec_url
    codes += [run_exit(each) for each in report.runs]
    for each in report.runs:
        wrong = {finding.scenario.id for finding in failures(each)}
        last.remember(options.command, (result.id for result in each.results), wrong)
    if options.write_known_failures:
        _rewrite(options, plan, report)
    for problem in write.write_all(report, wanted):
        print(f"redisipc-conformance: {problem}", file=sys.stderr)
        codes.append(Exit.USAGE)
    return gravest(codes or [Exit.NOTHING_CHECKED])


def _plan(options: argparse.Namespace) -> Plan:
    if not options.command:
        raise Problem(Exit.USAGE, "which implementation? redisipc-conformance run [options] -- COMMAND")
    scenarios = corpus()
    failed = last.failed_last(options.command) if options.lf else None
    selected, selection = chosen(options, scenarios, failed or None)
    if not selected:
        raise Problem(Exit.NOTHING_CHECKED, f"nothing is selected by {selection}")
    notes = [] if failed or not options.lf else ["--lf: nothing failed last time, so everything is run"]
    if options.write_known_failures:
        _refuse_partial(options, whole=selection.everything and not selection.profiles)
    return Plan(
        command=tuple(options.command),
        argv=options.argv,
        settings=Settings(
            command=tuple(options.command),
            jobs=options.jobs or JOBS,
            seed=options.seed if options.seed is not None else random.SystemRandom().randrange(2**31),
            time_scale=options.time_scale,
            no_timeouts=options.no_timeouts,
            profiles=selection.profiles or None,
        ),
        scenarios=tuple(selected),
        corpus=tuple(scenarios),
        selection=str(selection if not selection.everything else replace(selection, profiles=())),
        wishes=_wishes(options),
        judge=Judge.load(Requirements.load(), scenarios, _known(options), strict=options.strict),
        stop_at_first=options.exitfirst,
        notes=tuple(notes),
    )


def _wishes(options: argparse.Namespace) -> tuple[Wish, ...]:
    kinds, images = options.redis or [], options.redis_image or []
    if not images:
        return tuple(Wish(kind) for kind in kinds or ["auto"])
    others = [kind for kind in kinds if kind not in ("auto", "container")]
    # An image can only mean containers: a run on something else would not be what was asked for.
    return tuple(Wish("container", image) for image in images) + tuple(Wish(kind) for kind in others)


def _known(options: argparse.Namespace) -> KnownFailures:
    path: Path | None = options.known_failures
    if path is None:
        return KnownFailures()
    if options.write_known_failures and not path.exists():
        return KnownFailures(str(path))
    try:
        return KnownFailures.load(path)
    except KnownFailuresError as error:
        raise Problem(Exit.USAGE, str(error)) from error


def _refuse_partial(options: argparse.Namespace, *, whole: bool) -> None:
    if options.known_failures is None:
        raise Problem(Exit.USAGE, "--write-known-failures needs --known-failures FILE")
    if not whole or options.exitfirst:
        reason = "a partial run cannot tell what else fails; leave out scenario ids, -k, --profile, --lf and -x"
        raise Problem(Exit.USAGE, f"--write-known-failures: {reason}")


def _rewrite(options: argparse.Namespace, plan: Plan, report: Report) -> None:
    if not report.runs or any(each.interrupted for each in report.runs):
        print(f"{options.known_failures} is left as it was: the run is not whole")
        return
    runs = [(each.started.server, each.results) for each in report.runs]
    try:
        added, dropped = rewrite(options.known_failures, runs, declared_ids(plan.corpus), strict=plan.judge.strict)
    except KnownFailuresError as error:
        raise Problem(Exit.USAGE, str(error)) from error
    print(f"{options.known_failures}: {added} added, {dropped} dropped. Give each new entry its reason.")


def _width() -> int:
    return min(shutil.get_terminal_size((110, 24)).columns, 160)
