"""The cost of importing, after redis-py: each time in a new process, all cases alternately, with stored byte code and without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from .figures import Spread

CASES = {
    "import redisipc": "bare",
    "from redisipc import Options, Stream": "a program with threads",
    "from redisipc import Channel, Options, event": "one with channels",
    "from redisipc.asyncio import Options, Stream": "a program with asyncio",
    "from redisipc.asyncio import Channel, Options, event": "one with channels",
}
PROCESSES = 10

_CODE = """
import sys
from time import perf_counter, process_time
at = [(perf_counter(), process_time())]
import redis
if {anew}:
    sys.pycache_prefix, sys.dont_write_bytecode = {nowhere!r}, True
at.append((perf_counter(), process_time()))
{case}
at.append((perf_counter(), process_time()))
for before, after in zip(at, at[1:]):
    print(*(b - a for a, b in zip(before, after)))
"""


def imports(processes: int = PROCESSES) -> dict[str, Spread]:
    """Milliseconds that ``import redis`` takes, and that each of ``CASES`` takes after it.

    ``wall`` is the elapsed time, and ``CPU`` the processor time, which does not depend on the load. ``compiled again`` is
    without stored byte code of the library, as with ``PYTHONDONTWRITEBYTECODE`` in a source tree.
    """
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as kept:
        for count in range(-1, processes):
            for anew in (False, True):
                for case, what in CASES.items():
                    redis, more = _once(case, anew, kept)
                    if count < 0:
                        # These runs leave stored byte code.
                        continue
                    name = f"`{case}` ({what}), after it{', compiled again' if anew else ''}"
                    for one, figures in (("`import redis`", redis), (name, more)):
                        for kind, seconds in zip(("wall", "CPU"), figures, strict=True):
                            taken.setdefault(f"{one}, {kind}", []).append(seconds * 1000)
    return {name: Spread.of(values) for name, values in taken.items()}


def _once(case: str, anew: bool, kept: str) -> list[list[float]]:
    """The elapsed seconds and the seconds of CPU, for redis and for the case after it."""
    code = _CODE.format(case=case, anew=anew, nowhere=f"{kept}/nowhere")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = kept
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return [[float(part) for part in line.split()] for line in done.stdout.splitlines()]
