"""How a command ends: one table of exit statuses for all of them."""

from __future__ import annotations

OK = 0
"""It worked: fulfilled, somebody is there, nothing was found."""
FOUND = 1
"""Rejected, or there are findings."""
USAGE = 2
"""The command line is wrong."""
TIMEOUT = 3
"""No answer in time, though somebody is there."""
NOBODY = 4
"""Nobody is there: no stream, no group, or no living instance."""
REDIS = 5
"""Redis cannot be reached, or refuses, for example because a right is missing."""
INTERRUPTED = 130
"""Ctrl-C, as shells count it."""

MEANING = {
    OK: "it worked",
    FOUND: "rejected, or there are findings",
    USAGE: "the command line is wrong",
    TIMEOUT: "no answer in time, though somebody is there",
    NOBODY: "nobody is there",
    REDIS: "Redis cannot be reached, or a right is missing",
    INTERRUPTED: "interrupted",
}


class Problem(Exception):
    """Ends a command with ``status``; its text goes to stderr and says what to do."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
