"""Waits for something that comes by itself."""

from __future__ import annotations

import time
from collections.abc import Callable


def soon(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Whether it holds within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
