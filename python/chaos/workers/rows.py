"""The history of one process: a file of JSON lines, one row for each event, in the order of writing.

Each row is a list: its kind, its time (seconds of the machine's monotonic clock), and its data.

- ``begin t process pid runtime group concurrency``: the process was started
- ``up t instance``: it is connected, for the first time
- ``send t ask to timeout kind seconds``: it is about to send a request (an ask)
- ``cancel t ask``: it cancels the ask
- ``outcome t ask status [ask, run] | null text``: the outcome of the ask; if fulfilled, the ask and the run of the answer
- ``run t ask run starts entry_id request_id``: a handler begins
- ``end t ask run``: the handler is done
- ``told t kind text``: ``on_error`` was called, or the port's equivalent
- ``log t level text``: a line of the library's log
- ``down t from``: it was not connected from ``from`` to ``t``
- ``still t from why``: it stood still from ``from`` to ``t``. ``why``: process, loop, harness, or processor (none was free)
- ``sample t rss fds threads connections outstanding``: the resources that it uses
- ``note t text``: a problem of the worker itself
- ``closing t``: it leaves
- ``closed t``: it has left
"""

from __future__ import annotations

import json
import os
from time import monotonic
from typing import Any

_dumps = json.JSONEncoder(separators=(",", ":"), default=str).encode


class Rows:
    """Writes each row with one system call, so that a killed process leaves complete lines. Any thread may write."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def __call__(self, what: str, *more: Any) -> None:
        os.write(self._fd, (_dumps((what, round(monotonic(), 4), *more)) + "\n").encode())
