"""``python -m benchmarks`` measures all contenders in one run. ``--quick``: under a minute, compared with the stored run."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from pathlib import Path

from redisipc_conformance.server import choose

from .compare import like, worse
from .figures import Line
from .importing import imports
from .parts import Bench
from .publish import STORED, publish
from .report import extras, picture, table, versions, write_json
from .targets import judged

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="redisipc and the floor only, compared with the stored run"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each part (default 9, with --quick 3)")
    parser.add_argument("--scale", type=float, help="factor for the numbers of requests (default 0.3)")
    parser.add_argument("--only", default="", help="names of contenders, separated by commas")
    parser.add_argument(
        "--parts", default="one,load,groups,growth,idle,import", help="parts of the table, separated by commas"
    )
    parser.add_argument("--idle", type=float, default=30.0, help="seconds for which each twin is idle (default 30)")
    parser.add_argument("--redis", default="auto", help="which server: auto, container, local, embedded or a URL")
    parser.add_argument(
        "--out", type=Path, default=HERE.parents[1] / "out" / "bench.json", help="file for the results in JSON"
    )
    parser.add_argument("--picture", type=Path, help="file for the picture (SVG)")
    parser.add_argument(
        "--store",
        action="store_true",
        help="store this run: --quick compares with it, and the README has its figures",
    )
    options = parser.parse_args()
    quick = options.quick
    only = frozenset(name for name in options.only.split(",") if name)
    if quick:
        only = frozenset(("redisipc_threads", "redisipc_asyncio"))
    parts = ["one", "load"] if quick else options.parts.split(",")

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    lines: list[Line] = []
    started = time.monotonic()
    with choose(options.redis, say=say) as server:
        rounds = options.rounds or (3 if quick else 9)
        scale = options.scale or 0.3
        bench = Bench(server.url, rounds, scale, say, only)
        contenders = bench.here()
        if "one" in parts:
            lines += bench.one_at_a_time(contenders)
        if "load" in parts:
            lines += bench.load(contenders, (16, 64, 256) if quick else (16, 64, 256, 1000))
        if "groups" in parts:
            lines += bench.groups()
        if "growth" in parts:
            lines += bench.growth()
        idle = list(bench.idle(options.idle)) if "idle" in parts else []
        taken = {name: spread.median for name, spread in imports().items()} if "import" in parts else {}
        about = {
            "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "versions": versions(str(server)),
            "rounds": rounds,
            "scale": scale,
            "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
            "idle": idle,
            "import_ms": taken,
        }
    print(table(lines))
    print(extras(idle, taken))
    print("\n".join(["### Targets", "", *judged(lines, idle), ""]))
    write_json(options.out, lines, about)
    say(f"written: {options.out}; the run took {time.monotonic() - started:.0f} s")
    if options.picture is not None:
        say(picture(options.picture, lines) or f"written: {options.picture}")
    if options.store:
        write_json(STORED, lines, about)
        publish()
    if quick and STORED.exists():
        found = worse(lines, STORED)
        say(like(lines, STORED))
        print(
            "\n".join(["Got worse by more than the spread:", *found])
            if found
            else "Nothing got worse beyond the spread."
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
