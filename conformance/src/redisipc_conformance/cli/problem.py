"""A problem that prevents a command: one sentence and an exit code."""

from __future__ import annotations

from ..verdict.profiles import Exit


class Problem(Exception):
    """The message is for the user: what is wrong, where, and what to do."""

    def __init__(self, code: Exit, message: str):
        super().__init__(message)
        self.code = code
