"""SIGTERM and SIGINT while endpoints serve: each ``run()`` learns them, and then what was there before is there again.

An event loop has one handler of its own for a signal. A second ``run()`` would take it from the first, and both from the
program. So Python's handlers are used, and those that the program has in its loop are called as well.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

_told: dict[object, Callable[[], None]] = {}
_before: dict[int, Any] = {}


def watch(end: Callable[[], None]) -> Callable[[], None]:
    """Call ``end`` on SIGTERM and on SIGINT, in the signal handler. Returns what takes that back.

    Outside the main thread, and in a sub-interpreter, nothing is watched.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    key = object()
    _told[key] = end
    if len(_told) == 1:
        _install()

    def unwatch() -> None:
        if _told.pop(key, None) is not None and not _told:
            _restore()

    return unwatch


def _came(_number: int, _frame: Any) -> None:
    for end in list(_told.values()):
        end()


def _install() -> None:
    for number in (int(signal.SIGTERM), int(signal.SIGINT)):
        try:
            _before[number] = signal.signal(number, _came)
        except ValueError:  # a sub-interpreter
            return


def _restore() -> None:
    for number, handler in _before.items():
        # Somebody else's that came meanwhile stays. None: it is not one of Python's, which cannot put it back.
        if signal.getsignal(number) is _came and handler is not None:
            signal.signal(number, handler)
    _before.clear()
