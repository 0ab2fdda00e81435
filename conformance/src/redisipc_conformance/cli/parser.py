"""The command line's grammar."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..report import write
from ..testee.shims import LANGUAGES
from ..version import SPEC_VERSION, __version__
from . import coverage, guide, listing, merge, plan, run, testee

EXAMPLES = """\
examples:
  redisipc-conformance check-testee -- node testee.mjs
  redisipc-conformance run -- node testee.mjs
  redisipc-conformance run 'entry/*' --profile base -x -- node testee.mjs
  redisipc-conformance run --redis-image redis:6.2 --redis-image valkey/valkey:8 --report html=out/report.html -- node testee.mjs

exit codes: 0 conformant, 1 not, 2 interrupted, 3 error of the suite, 4 usage, 5 nothing checked, 6 testee unusable, 7 no Redis
"""


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and the testee's command after ``--``."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="redisipc-conformance",
        description="Drives any implementation of RedisIPC through scripted scenarios over a real Redis.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{__version__} (specification {SPEC_VERSION})")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _run(commands)
    _listing(commands)
    _testee(commands)
    _reports(commands)
    return parser


def _run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(commands, "run", "run the suite against a testee: run [SCENARIO ...] [options] -- COMMAND")
    parser.set_defaults(action=run.run)
    choice = parser.add_argument_group("which scenarios")
    _selection(choice)
    choice.add_argument(
        "--thorough",
        action="store_true",
        help="also run the long checks: many requests, repetitions, long waits (a published result needs them)",
    )
    choice.add_argument("-x", "--exitfirst", action="store_true", help="stop at the first failure")
    choice.add_argument(
        "--lf", action="store_true", help="only those that failed when this command last ran in this folder"
    )
    server = parser.add_argument_group("which Redis")
    server.add_argument(
        "--redis",
        action="append",
        metavar="KIND",
        help="container, local, embedded, a redis:// URL, model (the library's model of Redis), or auto (default): the first "
        "that is available of REDIS_URL, container, local and embedded; repeatable",
    )
    server.add_argument(
        "--redis-image",
        action="append",
        metavar="IMAGE",
        help="container image (default redis:7); repeatable: a run for each",
    )
    server.add_argument(
        "--least-rights",
        action="store_true",
        help="give endpoints only the rights that section 2 of the specification requires (needs Redis 7)",
    )
    how = parser.add_argument_group("how to run")
    how.add_argument("--jobs", type=_positive, metavar="N", help=f"scenarios at a time (default {plan.JOBS})")
    how.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="the seed of all random data (default: a new one, which is printed)",
    )
    how.add_argument("--time-scale", type=_factor, default=1.0, metavar="X", help="multiply every time budget")
    how.add_argument("--no-timeouts", action="store_true", help="wait for ever (for a debugger in the testee)")
    judge = parser.add_argument_group("verdict")
    judge.add_argument(
        "--strict", action="store_true", help="also fail if a SHOULD does not hold, or if a scenario cannot run here"
    )
    judge.add_argument(
        "--known-failures",
        type=Path,
        metavar="FILE",
        help="a YAML file of the checks that are known to fail, and why",
    )
    judge.add_argument(
        "--write-known-failures",
        action="store_true",
        help="update that file from this run, which must be a run of the whole suite",
    )
    tell = parser.add_argument_group("reports")
    tell.add_argument(
        "--report",
        action="append",
        type=_wanted,
        default=[],
        metavar="KIND=FILE,...",
        help="junit=, json=, html=, markdown=, badge= (.svg, or .json for shields.io); repeatable",
    )
    tell.add_argument(
        "--spec-url", default="", metavar="URL", help="the address of SPEC.md, for the links of the HTML report"
    )
    tell.add_argument("-v", "--verbose", action="store_true", help="print a line for each scenario")
    tell.add_argument("-q", "--quiet", action="store_true", help="print no progress")


def _listing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(commands, "list", "list the scenarios with their checks")
    parser.set_defaults(action=listing.list_scenarios)
    _selection(parser)
    parser.add_argument("--checks", action="store_true", help="with every check and its requirements")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser = _add(commands, "show", "show one scenario: what it proves, and its steps")
    parser.set_defaults(action=listing.show)
    parser.add_argument("scenario", metavar="SCENARIO", help="its id, e.g. entry/six-fields")
    parser = _add(commands, "requirements", "list what a port has to do, in the order in which to build it")
    parser.set_defaults(action=guide.requirements)
    _profiles(parser)
    parser.add_argument(
        "--role", action="append", default=[], metavar="NAME", help="requester, responder or caller (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def _testee(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(
        commands,
        "check-testee",
        "try a shim with each call of the protocol: check-testee -- COMMAND",
    )
    parser.set_defaults(action=testee.check_testee)
    parser.add_argument(
        "--redis", default="auto", metavar="KIND", help="as for run, or none: try only what needs no Redis"
    )
    parser = _add(commands, "new-shim", "write the skeleton of a shim")
    parser.set_defaults(action=testee.write_shim)
    parser.add_argument("--language", required=True, choices=sorted(LANGUAGES), help="what it is written in")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("testee"), help="where (default: ./testee)")


def _reports(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(commands, "coverage", "show which requirements have a check that ran, and a mutant that it killed")
    parser.set_defaults(action=coverage.coverage)
    parser.add_argument(
        "reports",
        nargs="*",
        type=Path,
        metavar="REPORT.json",
        help="reports of runs of the whole suite (default: the run of the model that --mutants names)",
    )
    parser.add_argument("--mutants", type=Path, metavar="FILE", help="the mutants' results (conformance/mutants)")
    parser.add_argument("--all", action="store_true", help="each requirement with its checks and mutants")
    report = _add(commands, "report", "join JSON reports")
    verbs = report.add_subparsers(required=True, metavar="VERB")
    parser = _add(
        verbs, "merge", "join JSON reports of several runs: report merge A.json B.json --report html=matrix.html"
    )
    parser.set_defaults(action=merge.merge)
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json")
    parser.add_argument(
        "--report", action="append", type=_wanted, required=True, metavar="KIND=FILE,...", help="as for run"
    )
    parser.add_argument("--spec-url", default="", metavar="URL", help="as for run")
    parser.add_argument(
        "--interop",
        type=Path,
        metavar="FILE",
        help="the file that make interop wrote; it becomes a section of the HTML report",
    )


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=what.split(":")[0], description=what[0].upper() + what[1:], allow_abbrev=False
    )


def _selection(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="ids or globs: entry/six-fields 'group/*'")
    _profiles(parser)
    parser.add_argument(
        "-k",
        dest="words",
        default="",
        metavar="WORDS",
        help="words of id, title, check, requirement or needs: 'reclaim and not slow'",
    )


def _profiles(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--profile",
        action="append",
        default=[],
        metavar="NAME",
        help="base, ask, group, channel, resilient; repeatable",
    )


def _wanted(text: str) -> list[tuple[str, Path]]:
    try:
        return write.parse([text])
    except write.ReportArgumentError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


def _factor(text: str) -> float:
    number = float(text)
    if not 0 < number < 1000:
        raise argparse.ArgumentTypeError("a number above 0, such as 3")
    return number
