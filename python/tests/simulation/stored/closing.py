"""The fate of requests and responses while an instance disconnects."""

from __future__ import annotations

from .stage import drawn, kept
from .writes import LONG

kept(
    "gone at once",
    "leave-in-order",
    "G3 G6 G8",
    "who closed left its claims, its list and its consumers behind",
    drawn((1000,), restarts=3, leaves=True, groups=(3, 3)),
)
kept(
    "a handler that outlives the disconnect", "reject-at-close-limit", "RIPC-LIFE-26",
    "a handler ran on when its time was over, and a sibling started its request beside it (H11)",
    drawn((2000,), asks=400, restarts=6, groups=(3, 2), seconds=30.0, **LONG),
)  # fmt: skip
kept(
    "answers that come later", "wait-for-late-answers", "RIPC-LIFE-18",
    "answers that were to come after their handler had returned were not waited for (C7)",
    drawn((2000,), asks=400, restarts=6, groups=(3, 2), seconds=30.0, kinds=(50, 0, 50, 0, 0, 0),
          long_share=0.3, concurrency=64, short_timeouts=False),
)  # fmt: skip
kept(
    "responses to who closes", "poll-while-closing", "RIPC-LIFE-15",
    "who closed did not look at what its siblings handed to it, nor at the stream (C1)",
    drawn((2000,), asks=800, restarts=6, groups=(3, 2), seconds=30.0, kinds=(50, 50, 0, 0, 0, 0),
          long_share=0.3, concurrency=64, short_timeouts=False),
)  # fmt: skip
