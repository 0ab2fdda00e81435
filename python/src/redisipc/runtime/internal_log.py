"""Logs the library's own defects. The handlers of a log are code of the user: whatever they raise ends nothing."""

from __future__ import annotations

import contextlib
import logging
import threading

logger: logging.Logger = logging.getLogger("redisipc")


def say(level: int, text: str, *arguments: object, error: BaseException | None = None) -> None:
    """Log a line. Where a handler of the log raises, ``threading.excepthook`` gets that exception."""
    try:
        logger.log(level, text, *arguments, exc_info=error)
    except BaseException as raised:
        me = threading.current_thread()
        if not isinstance(raised, Exception) and me is threading.main_thread():
            # Of a signal handler, most likely: it is meant for the program.
            raise
        with contextlib.suppress(Exception):
            threading.excepthook(threading.ExceptHookArgs((type(raised), raised, raised.__traceback__, me)))
