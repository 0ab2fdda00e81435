"""Second starts for causes that need several things within milliseconds: random worlds hardly ever show them."""

from __future__ import annotations

from .stage import Stage, caused, quiet


@caused(
    "clock-step",
    "Redis' clock went forward again and again: each look found the claims of an owner that lived to be old",
    quiet(60.0),
)
def _clock(stage: Stage) -> None:
    for name in "AB":
        stage.join(0.1, name, "g0")
    stage.join(0.1, "R", "g1")
    stage.send(14.0, "R", "g0", 60.0, "work", 30.0)
    for n in range(40):
        stage.clock(20.0 + n / 4, 15.0)


@caused(
    "late-command",
    "a give-back was executed when its member had long been back, and ran the request: a sibling took it and ran it as well",
    quiet(60.0, concurrency=1, wakeups=True),
)
def _late(stage: Stage) -> None:
    for name in "ABC":
        stage.join(0.1, name, "g0")
    stage.join(0.1, "R", "g1")
    stage.member(12.0, "A", "spoil", "late", True, "XCLAIM")
    for n in range(4):
        stage.send(12.1, "R", "g0", 60.0, "work", 0.02 if n < 3 else 20.0)


@caused(
    "runner-paused",
    "a member stood still between the word to start a request and its start; a sibling ran it by then",
    quiet(60.0, start_delay=0.01),
)
def _runner(stage: Stage) -> None:
    for name in "AB":
        stage.join(0.1, name, "g0")
    stage.join(0.1, "R", "g1")
    stage.send(14.0, "R", "g0", 60.0, "work", 30.0)
    stage.member(14.008, "A", "pause", 20.0)


@caused(
    "deleted",
    "a group was destroyed, and the member that had read less made it again: what the other one ran came once more",
    quiet(60.0),
)
def _deleted(stage: Stage) -> None:
    for name in "AB":
        stage.join(0.1, name, "g0")
    stage.join(0.1, "R", "g1")
    stage.member(14.0, "B", "isolate", 3.0, False)
    stage.send(14.5, "R", "g0", 60.0, "work", 30.0)
    stage.member(15.0, "A", "isolate", 5.0, False)
    stage.operate(15.5, "group", "XGROUP", "DESTROY", "s", "g0")
