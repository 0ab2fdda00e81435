"""The command ``redisipc-conformance``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from ..scenario.errors import ScenarioError
from ..verdict.known import KnownFailuresError
from ..verdict.profiles import Exit
from .output import steady_stdout
from .parser import build, split
from .problem import Problem


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line; returns the exit code (``verdict.profiles.Exit``)."""
    ours, command = split(list(sys.argv[1:] if argv is None else argv))
    parser = build()
    try:
        options = parser.parse_args(ours)
    except SystemExit as end:
        return Exit.CONFORMANT if not end.code else Exit.USAGE
    options.command = command
    options.argv = ("redisipc-conformance", *ours, *(["--", *command] if command else []))
    try:
        with contextlib.redirect_stdout(steady_stdout()):
            code = int(options.action(options))
            sys.stdout.flush()
            return code
    except Problem as problem:
        print(f"redisipc-conformance: {problem}", file=sys.stderr)
        return int(problem.code)
    except ScenarioError as error:
        print(f"redisipc-conformance: a scenario cannot be used: {error}", file=sys.stderr)
        return int(Exit.SUITE_ERROR)
    except KnownFailuresError as error:
        print(f"redisipc-conformance: {error}", file=sys.stderr)
        return int(Exit.USAGE)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)
