"""Logs the library's own defects. Its handlers are code of the user: their exceptions end nothing."""

from __future__ import annotations

import contextlib
import logging
import threading

logger: logging.Logger = logging.getLogger("redisipc")


def say(level: int, text: str, *arguments: object, error: BaseException | None = None) -> None:
    """Log a line. If a handler of the log raises, ``threading.excepthook`` gets that exception."""
    try:
        logger.log(level, text, *arguments, exc_info=error)
    except BaseException as raised:
        me = threading.current_thread()
        if not isinstance(raised, Exception) and me is threading.main_thread():
            # It comes most likely from a signal handler, and is meant for the program.
            raise
        with contextlib.suppress(Exception):
            threading.excepthook(threading.ExceptHookArgs((type(raised), raised, raised.__traceback__, me)))
