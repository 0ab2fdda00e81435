"""Storms: a signal handler, a finalizer or an exception comes thousands of times, wherever the program stands.

Each storm is a small program with a seed, in a process of its own. It ends with "went on", how often it was interrupted
and how many calls it made. ``python -m tests.runtime.storm`` runs them for many seeds and on several Pythons.
"""

from __future__ import annotations

from .callers import CALLERS, under_uvloop
from .calls import CALLS
from .raises import RAISES

STORMS = {**CALLS, **RAISES, **CALLERS}
STORMS |= {
    storm.replace("asyncio", "uvloop"): under_uvloop(text)
    for storm, text in STORMS.items()
    # uvloop itself does not survive an exception that a signal handler raises.
    if storm.startswith("asyncio") and not storm.startswith("asyncio raise")
}
"""Programs by name. ``sys.argv[1:]``: the stream's name, a URL, a seed, how many interruptions."""
