"""The times of both dialogues of ``check-testee`` over Redis, and the answer that a call must have."""

from __future__ import annotations

from typing import Any

from .candidate import Reply
from .errors import TesteeRefused

SECONDS = 5.0
"""The time for each step that needs a Redis."""
TIMEOUT = 1.0
"""Seconds. It is the endpoint's own timeout, since not every library has one for each send.

The suite itself will find that.
"""


def result(reply: Reply, method: str) -> dict[str, Any]:
    """The answer. Raises AssertionError for a refusal."""
    if isinstance(reply, TesteeRefused):
        raise AssertionError(f"{method} was refused with {reply.code} {reply.message!r}")
    return reply
