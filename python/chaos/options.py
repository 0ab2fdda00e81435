"""The options of ``python -m chaos``."""

from __future__ import annotations

import argparse

from .lab.sites import SITES
from .plan import PEACE

SETTLE = 35.0
"""Seconds of rest: the longest timeout, 30 s, and the last look after it."""


def parse(about: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=about)
    _what(parser.add_argument_group("faults and servers"))
    _load(parser.add_argument_group("requests during the faults"))
    _figures(parser.add_argument_group("figures"))
    return parser.parse_args()


def _what(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--servers", default="", help="programs or images (name:tag), by spaces; default: the one of this machine")
    add("--seed", default="", help="what the plan of faults is drawn from (default: another one each time)")
    add("--only", default="", help="names of faults, by spaces; default: all")
    add("--site", default="", choices=["", *SITES], help="only the faults of this site")
    add(
        "--times",
        type=int,
        default=0,
        help="each fault alone, so many times; default: mixed, until there are enough requests",
    )
    add("--quick", action="store_true", help="under a minute: a few faults, each once, the same every time")
    add("--minutes", type=float, default=0.0,
        help="run after run over all servers and sites, each of --requests, for so long; what is in the results file "
        "says where the last time ended")  # fmt: skip
    add("--peace", type=float, default=PEACE,
        help=f"seconds between two faults of a sequence, on average, where they are mixed (default {PEACE:g})")  # fmt: skip
    add("--soak", type=float, default=0.0, metavar="SECONDS",
        help="so long, with faults that end no process: what is used must stay flat")  # fmt: skip


def _load(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--requests", type=int, default=4000, help="how many at least, over all servers (default 4000)")
    add("--rate", type=float, default=100.0, help="requests a second (default 100)")
    add("--burst", type=float, default=1.0, help="requests at one moment, on average (default 1)")
    add("--settle", type=float, default=SETTLE,
        help=f"seconds within which nothing may be left at the end (default {SETTLE:g}); 150: nor what the dead left")  # fmt: skip


def _figures(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--results", metavar="FILE", help="where each run adds its result (default: out/chaos/results.jsonl)")
    add("--sum", nargs="*", metavar="FILE",
        help="add up results of earlier runs, of files or folders (default: out/chaos); nothing is run")  # fmt: skip
    add(
        "--judge", nargs="+", metavar="FOLDER", help="judge what earlier runs left there, and add it up; nothing is run"
    )
