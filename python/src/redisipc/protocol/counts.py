"""The numbers that an endpoint counts for its user, from connect on. Nothing depends on it."""

from __future__ import annotations


class Counts:
    """``fulfilled``, ``rejected``: answers written; ``failed``: handlers that failed; ``timeouts``: own sends without an answer."""

    __slots__ = ("failed", "fulfilled", "rejected", "timeouts")

    def __init__(self) -> None:
        self.fulfilled: int = 0
        self.rejected: int = 0
        self.failed: int = 0
        self.timeouts: int = 0
