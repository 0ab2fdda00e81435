"""After a fork the child must not use what it inherited: every living session is notified."""

from __future__ import annotations

import os
import weakref
from typing import Any

_living: weakref.WeakSet[Any] = weakref.WeakSet()


def watch(session: Any) -> None:
    """Call ``session.after_fork()`` in a forked child."""
    _living.add(session)


def _after_fork() -> None:
    for session in list(_living):
        session.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
