"""``coverage``: the trace of three, its gaps, and exit code 1 where there is one."""

from __future__ import annotations

import argparse

from ..coverage import CoverageError, gaps, read_mutants, summary, trace
from ..report.json_report import ReportError, read
from ..report.verdict import Exit
from ..requirements import Requirements
from .problem import Problem


def coverage(options: argparse.Namespace) -> int:
    try:
        reports = [read(path) for path in options.reports]
        mutants = read_mutants(options.mutants) if options.mutants else []
    except (ReportError, CoverageError) as error:
        raise Problem(Exit.USAGE, str(error)) from error
    requirements = Requirements.load()
    if not requirements.complete:
        raise Problem(Exit.SUITE_ERROR, "schemas/requirements.json is missing: nothing says what there is to cover")
    with_mutants = options.mutants is not None
    traces = trace(requirements, reports, mutants)
    for one in traces if options.all else ():
        print(f"{one.requirement.id} {one.requirement.level}")
        for check in sorted(one.checks):
            print(f"    check   {check}")
        for mutant in one.killed:
            print(f"    mutant  {mutant.name}, killed by {', '.join(mutant.caught_by)}")
        if not one.requirement.testable:
            print(f"    excluded: {one.requirement.reason}")
    print("\n".join(summary(traces, mutants=with_mutants)))
    found = gaps(traces, mutants=with_mutants)
    print()
    if not with_mutants:
        print("Without --mutants only requirements and checks are traced.")
    for gap in found:
        print(f"gap: {gap}")
    print(f"{len(found)} gaps" if found else "No gap.")
    return Exit.NOT_CONFORMANT if found else Exit.CONFORMANT
