"""SIGTERM and SIGINT while endpoints serve: every ``run()`` learns of them. Afterwards the program's own handlers are
restored.

An event loop has one handler of its own for a signal. With it, a second ``run()`` would replace the first one's, and
both would replace the program's. So this file uses Python's signal handlers, and calls those that the program has in
its event loop as well.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

_told: dict[object, Callable[[], None]] = {}
_before: dict[int, Any] = {}


def watch(end: Callable[[], None]) -> Callable[[], None]:
    """Call ``end`` on SIGTERM and on SIGINT, in the signal handler. Returns a function that undoes this.

    Outside the main thread, and in a sub-interpreter, it does nothing.
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
        # A handler that other code has set meanwhile stays. None: the handler is not one of Python's. Python cannot
        # restore it.
        if signal.getsignal(number) is _came and handler is not None:
            signal.signal(number, handler)
    _before.clear()
