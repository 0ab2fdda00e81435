"""``coverage``: the trace of three, its gaps, and exit code 1 if there are any."""

from __future__ import annotations

import argparse

from ..report.coverage import CoverageError, gaps, read_mutants, read_ran, summary, trace, unlike
from ..report.errors import ReportError
from ..report.json_report import read
from ..requirements import Requirements
from ..scenario.corpus import Named, corpus, named_checks
from ..verdict.profiles import Exit
from .problem import Problem


def coverage(options: argparse.Namespace) -> int:
    if not options.reports and options.mutants is None:
        raise Problem(Exit.USAGE, "coverage needs reports of runs, or --mutants FILE, which knows what ran")
    ran: list[Named] = []
    stale: list[str] = []
    try:
        reports = [read(path) for path in options.reports]
        mutants = read_mutants(options.mutants) if options.mutants else []
        if not reports:
            names = read_ran(options.mutants)
            present = [named for scenario in corpus() for named in named_checks(scenario)]
            ran = [named for named in present if named.id in names]
            stale = unlike(names, present)
    except (ReportError, CoverageError) as error:
        raise Problem(Exit.USAGE, str(error)) from error
    requirements = Requirements.load()
    if not requirements.complete:
        raise Problem(Exit.SUITE_ERROR, "schemas/requirements.json is missing: nothing says what there is to cover")
    with_mutants = options.mutants is not None
    traces = trace(requirements, reports, mutants, ran)
    for one in traces if options.all else ():
        print(f"{one.requirement.id} {one.requirement.level}")
        for check in sorted(one.checks):
            print(f"    check   {check}")
        for mutant in one.killed:
            print(f"    mutant  {mutant.name}, killed by {', '.join(mutant.caught_by)}")
        if not one.requirement.testable:
            print(f"    excluded: {one.requirement.reason}")
    print("\n".join(summary(traces, mutants=with_mutants)))
    found = gaps(traces, mutants=with_mutants) + stale
    print()
    if not with_mutants:
        print("Without --mutants only requirements and checks are traced.")
    for gap in found:
        print(f"gap: {gap}")
    print(f"{len(found)} gaps" if found else "No gap.")
    return Exit.NOT_CONFORMANT if found else Exit.CONFORMANT
