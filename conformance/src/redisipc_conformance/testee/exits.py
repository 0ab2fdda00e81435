"""Notices the end of a process itself: another process may keep its pipes open long after it.

`asyncio` has a `wait` that, in some versions of Python, ends only when all pipes are closed. A build
daemon that a testee's command starts inherits these pipes.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process

EXIT_LOOK_SECONDS = 0.01
"""Seconds between two checks."""


async def exited(process: Process) -> int:
    """The exit status, as soon as the process has ended; a signal's number is negative."""
    while process.returncode is None:
        await asyncio.sleep(EXIT_LOOK_SECONDS)
    return process.returncode
