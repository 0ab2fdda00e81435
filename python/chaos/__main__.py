"""``python -m chaos``: real processes over real servers, with faults; see README.md. ``make chaos`` runs it.

Exit status: 0 all held, 1 a promise was broken or a fault was not proven, 2 wrong use.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import sys
from pathlib import Path

from redisipc_conformance.server import NoServer

from .faults import FAULTS
from .lab.lab import Load
from .lab.sites import SITES
from .report.summary import Summary
from .run import Wanted, run, seed_of

OUT = Path(__file__).parents[2] / "out" / "chaos"


def main() -> int:
    options = parse()
    try:
        names = chosen(options.only, options.site)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    seed = seed_of(options.seed)
    folder = OUT / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    servers = options.servers.replace(",", " ").split() or [""]
    summary = Summary(alone=bool(options.times))
    pairs = [(server, site) for server in servers for site in SITES if any(FAULTS[name].site == site for name in names)]

    def say(line: str) -> None:
        print(line, flush=True)

    for number, (server, site) in enumerate(pairs):
        here = [name for name in names if FAULTS[name].site == site]
        wanted = Wanted(
            server=server,
            site=site,
            faults=here,
            seed=f"{seed}:{number}",
            requests=options.requests // len(pairs),
            times=options.times,
            load=Load(rate=options.rate, sample=options.sample),
            settle=options.settle,
        )
        place = folder / f"{number}-{Path(server).name or 'server'}-{site}".replace(":", "-")
        try:
            done = asyncio.run(run(wanted, place, say))
        except NoServer as error:
            summary.left_out.append(f"{server or 'the server'}, {site}: {error}")
            continue
        summary.add(done, place, say)
    print(f"\n{summary}\n  seed {seed}")
    return 0 if summary.good and summary.requests else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--requests", type=int, default=4000, help="how many at least, over all servers (default 4000)")
    parser.add_argument(
        "--servers", default="", help="programs or images (name:tag), by spaces; default: the one of this machine"
    )
    parser.add_argument(
        "--seed", default="", help="what the plan of faults is drawn from (default: another one each time)"
    )
    parser.add_argument("--only", default="", help="names of faults, by spaces; default: all")
    parser.add_argument("--site", default="", help="only the faults of this site")
    parser.add_argument(
        "--times",
        type=int,
        default=0,
        help="each fault alone, so many times; default: mixed, until there are enough requests",
    )
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second (default 100)")
    parser.add_argument(
        "--sample", type=float, default=0.0, help="seconds between two samples of what is used (default: none)"
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=20.0,
        help="seconds within which nothing may be left at the end; 130 and more for all that dead members left",
    )
    return parser.parse_args()


def chosen(only: str, site: str) -> list[str]:
    """The names of the faults that are wanted. Raises ValueError for one that there is not."""
    names = only.replace(",", " ").split() or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise ValueError(f"no fault is called {unknown[0]!r}; there are {', '.join(FAULTS)}")
    return [name for name in names if not site or FAULTS[name].site == site]


if __name__ == "__main__":
    sys.exit(main())
