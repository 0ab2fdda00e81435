"""``check-testee`` and ``new-shim``: for authors of shims."""

from __future__ import annotations

import argparse
import asyncio
import sys

from ..report.style import painter
from ..server import NoServer, choose
from ..testee.check import Finding, check, first_wrong
from ..testee.shims import LANGUAGES, ShimError, new_shim
from ..verdict.profiles import Exit
from .problem import Problem


def check_testee(options: argparse.Namespace) -> int:
    if not options.command:
        raise Problem(Exit.USAGE, "what is to be checked? redisipc-conformance check-testee -- COMMAND")
    if options.redis == "none":
        findings = asyncio.run(check(options.command, None))
    else:
        try:
            with choose(options.redis, say=lambda line: print(line, file=sys.stderr)) as server:
                findings = asyncio.run(check(options.command, server.url))
        except NoServer as error:
            raise Problem(Exit.NO_REDIS, f"{error}; `--redis none` checks what needs no Redis") from error
    paint = painter(sys.stdout)
    styles = {"ok": "green", "wrong": "bold red", "skipped": "dim"}
    for finding in findings:
        print(f"{paint(f'{finding.verdict:<8}', styles[finding.verdict])}{finding.title}" + _sentence(finding))
    wrong = first_wrong(findings)
    print("\nThe shim can be used." if wrong is None else f"\nWrong: {wrong.sentence}")
    return Exit.CONFORMANT if wrong is None else Exit.TESTEE_UNUSABLE


def _sentence(finding: Finding) -> str:
    return f"\n        {finding.sentence}" if finding.sentence else ""


def write_shim(options: argparse.Namespace) -> int:
    try:
        written = new_shim(options.language, options.folder)
    except ShimError as error:
        raise Problem(Exit.USAGE, str(error)) from error
    for path in written:
        print(path)
    about = LANGUAGES[options.language]
    print(f"Then, in {options.folder}: redisipc-conformance check-testee -- {about.command}")
    return Exit.CONFORMANT
