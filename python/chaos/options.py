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
    add(
        "--servers",
        default="",
        help="programs or images (name:tag), separated by spaces; default: that of this machine",
    )
    add("--seed", default="", help="the seed of the plan of faults (default: a new one each time)")
    add("--only", default="", help="names of faults, separated by spaces; default: all")
    add("--site", default="", choices=["", *SITES], help="only the faults of this site")
    add(
        "--times",
        type=int,
        default=0,
        help="each fault strikes alone, so many times; default: mixed faults until there are enough requests",
    )
    add("--quick", action="store_true", help="a run of under a minute: a few faults, each once, always the same")
    add("--minutes", type=float, default=0.0,
        help="repeat runs of --requests for so many minutes, over all servers and sites; the file of results "
        "shows which runs come next")  # fmt: skip
    add("--peace", type=float, default=PEACE,
        help=f"seconds between two faults of a sequence, on average, if faults are mixed (default {PEACE:g})")  # fmt: skip
    add("--soak", type=float, default=0.0, metavar="SECONDS",
        help="run for so many seconds with faults that end no process: the used resources must not grow")  # fmt: skip


def _load(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--requests", type=int, default=4000, help="at least so many requests, over all servers (default 4000)")
    add("--rate", type=float, default=100.0, help="requests a second (default 100)")
    add("--burst", type=float, default=1.0, help="requests at one moment, on average (default 1)")
    add("--settle", type=float, default=SETTLE,
        help=f"at the end, nothing may be left after so many seconds (default {SETTLE:g}); "
        "with 150 also nothing of dead members")  # fmt: skip


def _figures(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--results", metavar="FILE", help="file to which each run adds its result (default: out/chaos/results.jsonl)")
    add("--sum", nargs="*", metavar="FILE",
        help="add up the results of earlier runs in these files or folders (default: out/chaos), without a new run")  # fmt: skip
    add(
        "--judge",
        nargs="+",
        metavar="FOLDER",
        help="judge the stored rows of earlier runs again, and add up the results, without a new run",
    )
