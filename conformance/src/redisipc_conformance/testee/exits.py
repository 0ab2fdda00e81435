"""The end of a process, seen as such: some other process may hold its pipes long after it.

`asyncio`'s own `wait` ends only when all pipes are closed, in the Pythons between two changes of its code. A build daemon
that a testee's command starts inherits these pipes.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process

EXIT_LOOK_SECONDS = 0.01
"""Seconds between two looks."""


async def exited(process: Process) -> int:
    """The exit status, as soon as the process has ended; a signal's number is negative."""
    while process.returncode is None:
        await asyncio.sleep(EXIT_LOOK_SECONDS)
    return process.returncode
