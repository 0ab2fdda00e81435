"""Redis refuses what is written, or carries it out without telling."""

from __future__ import annotations

from typing import Any

from .stage import Stage, drawn, kept, quiet, staged

LONG: dict[str, Any] = {"kinds": (60, 40, 0, 0, 0, 0), "long_share": 0.5, "concurrency": 64, "short_timeouts": False}
"""Many handlers that take longer than a reclaim."""

kept(
    "no writes beside a living owner", "write-between-looks hold-after-refusal", "RIPC-RECOV-17",
    "Redis took no writes for over 10 s: claims were refused while looks went on, and siblings started what ran (H1)",
    drawn(range(2000, 2012), asks=400, faults=("writes",), fault_count=3, groups=(7, 2), seconds=60.0, wakeups=False, **LONG),
)  # fmt: skip
kept(
    "writes repeated blindly", "write-once", "G3 G4 G6",
    "a request whose XADD had no reply was written again, and ran twice",
    drawn((1000, 1001, 1002, 1003), faults=("cut",), fault_count=8),
)  # fmt: skip


@staged(
    "a give-back sent again", "claim-once", "G4 G6",
    "the reply to a give-back was lost, a sibling took the request, and the give-back that was sent again freed it (H2)",
    quiet(40.0, concurrency=1, wakeups=True),
)  # fmt: skip
def _give_back_again(stage: Stage) -> None:
    for name in "ABC":
        stage.join(0.1, name, "g0")
    stage.join(0.1, "R", "g1")
    stage.member(12.0, "A", "spoil", "after", True, "XCLAIM")
    for n in range(4):
        stage.send(12.1, "R", "g0", 60.0, "work", 0.02 if n < 3 else 20.0)


kept(
    "no memory for an answer", "keep-refused-answers", "G5 G6 G9",
    "an answer that Redis had no memory for was forgotten, and its request ran again",
    drawn((1000,), faults=("memory",), fault_count=4, groups=(2, 2), kinds=(60, 40, 0, 0, 0, 0), long_share=0.3,
          concurrency=64, short_timeouts=False),
)  # fmt: skip


@staged(
    "an answer and a group that went", "body-decides", "RIPC-RESP-14",
    "an answer was not written, the group was destroyed, and as the request was pending nowhere it passed for answered (H8)",
    quiet(20.0),
)  # fmt: skip
def _unsure_answer(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    stage.send(3.0, "R", "g0", 30.0, "work", 2.0)
    stage.member(4.5, "A", "spoil", "before", True, "XADD")
    stage.operate(5.006, "group", "XGROUP", "DESTROY", "s", "g0")


kept(
    "claimed in vain", "look-before-gone", "RIPC-RESP-14",
    "a consumer was deleted under its owner: the reply to its claim lacked the request, and its answer was dropped (H8)",
    drawn(range(2000, 2020), asks=400, faults=("prune", "group"), fault_count=8, groups=(2, 2), seconds=60.0, **LONG),
)  # fmt: skip
