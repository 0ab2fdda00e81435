"""Turns the options of ``run`` into a plan: which scenarios run, on which servers, and how they are judged."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.run import Settings
from ..requirements import Requirements
from ..scenario.corpus import corpus
from ..scenario.model import Scenario
from ..verdict.judge import Judge
from ..verdict.known import KnownFailures
from ..verdict.profiles import Exit
from . import last
from .listing import chosen
from .problem import Problem

JOBS = 16
"""Scenarios that run at once: they spend nearly all of their time waiting."""


@dataclass(frozen=True)
class ServerChoice:
    """One wanted server, as ``server.choose`` takes it."""

    kind: str
    image: str | None = None

    @property
    def options(self) -> list[str]:
        """The same on the command line."""
        if self.image:
            return ["--redis-image", self.image]
        return [] if self.kind == "auto" else ["--redis", self.kind]


@dataclass(frozen=True)
class Plan:
    """The run that the command line describes."""

    command: tuple[str, ...]
    argv: tuple[str, ...]
    settings: Settings
    scenarios: tuple[Scenario, ...]
    corpus: tuple[Scenario, ...]
    selection: str
    thorough: bool
    """Whether no scenario is left to `--thorough`."""
    servers: tuple[ServerChoice, ...]
    judge: Judge
    reports: tuple[tuple[str, Path], ...] = ()
    """Kind and file of each report that is wanted."""
    stop_at_first: bool = False
    notes: tuple[str, ...] = ()


def plan_of(options: argparse.Namespace) -> Plan:
    """Raises Problem, KnownFailuresError or ScenarioError if the options contradict each other."""
    if not options.command:
        raise Problem(Exit.USAGE, "which implementation? redisipc-conformance run [options] -- COMMAND")
    servers = _servers(options.redis or [], options.redis_image or [])
    known = _known(options)
    scenarios = corpus()
    failed = last.failed_last(options.command) if options.lf else None
    selected, selection = chosen(options, scenarios, failed or None)
    if not selected:
        raise Problem(Exit.NOTHING_CHECKED, f"nothing is selected by {selection}")
    notes = [] if failed or not options.lf else ["--lf: nothing failed last time, so everything is run"]
    return Plan(
        command=tuple(options.command),
        argv=options.argv,
        settings=Settings(
            command=tuple(options.command),
            jobs=options.jobs or JOBS,
            seed=options.seed if options.seed is not None else random.SystemRandom().randrange(2**31),
            time_scale=options.time_scale,
            no_timeouts=options.no_timeouts,
            least_rights=options.least_rights,
            profiles=selection.profiles or None,
        ),
        scenarios=tuple(selected),
        corpus=tuple(scenarios),
        selection=str(selection if not selection.everything else replace(selection, profiles=())),
        thorough=selection.thorough,
        servers=servers,
        judge=Judge.load(Requirements.load(), scenarios, known, strict=options.strict),
        reports=tuple(each for given in options.report for each in given),
        stop_at_first=options.exitfirst,
        notes=tuple(notes),
    )


def _servers(kinds: Sequence[str], images: Sequence[str]) -> tuple[ServerChoice, ...]:
    if not images:
        return tuple(ServerChoice(kind) for kind in kinds or ["auto"])
    others = [kind for kind in kinds if kind not in ("auto", "container")]
    # An image always means a container: a run on another kind of server would not be what the user wanted.
    return tuple(ServerChoice("container", image) for image in images) + tuple(ServerChoice(kind) for kind in others)


def _known(options: argparse.Namespace) -> KnownFailures:
    path: Path | None = options.known_failures
    if options.write_known_failures:
        if path is None:
            raise Problem(Exit.USAGE, "--write-known-failures needs --known-failures FILE")
        if options.scenarios or options.words or options.profile or options.lf or options.exitfirst:
            reason = "a partial run cannot tell what else fails; leave out scenario ids, -k, --profile, --lf and -x"
            raise Problem(Exit.USAGE, f"--write-known-failures: {reason}")
    if path is None:
        return KnownFailures()
    if options.write_known_failures and not path.exists():
        return KnownFailures(str(path))
    return KnownFailures.load(path)
