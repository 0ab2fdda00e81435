"""Who owns what: keeping it, taking it over, giving it back."""

from __future__ import annotations

from .stage import Stage, drawn, kept, quiet, staged
from .writes import LONG

kept(
    "claims that cease",
    "keep-alive",
    "G3 G6",
    "what ran for over 10 s was not claimed again",
    drawn((1000,), groups=(3, 3), **LONG),
)
kept(
    "one look", "two-looks", "G3 G4 G6 RIPC-GROUP-14", "Redis' clock stepped, and all that ran looked left alone",
    drawn(range(1000, 1008), faults=("clock",), fault_count=4, seconds=60.0, groups=(4, 4), **LONG),
)  # fmt: skip


@staged(
    "the first to connect", "hold-at-first-connect", "G6",
    "Redis was away for 12 s, and a newcomer connected before the others were back: it took what they ran (H5)",
    quiet(60.0, backoff_most=12.0),
)  # fmt: skip
def _newcomer(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    stage.send(3.0, "R", "g0", 60.0, "work", 40.0)
    stage.outage(5.0, 12.0)
    stage.join(17.01, "C", "g0")


@staged(
    "the first to come back", "hold-after-connect", "G6",
    "Redis was away for 12 s, and the first to be back took what the others ran",
    quiet(60.0, backoff_most=12.0),
)  # fmt: skip
def _first_back(stage: Stage) -> None:
    for name in "ABCDEF":
        stage.join(0.1, name, "g0")
    stage.join(0.1, "R", "g1")
    for n in range(12):
        stage.send(3.0 + n / 10, "R", "g0", 60.0, "work", 40.0)
    stage.outage(5.0, 12.0)


@staged(
    "off overnight", "mark-of-years", "G6",
    "Redis was off for over 12 hours: real idle times passed for give-backs, and the first to be back took all that ran (H17)",
    quiet(45_000.0, wakeups=True, seed=4),
)  # fmt: skip
def _overnight(stage: Stage) -> None:
    for name in "ABC":
        stage.join(0.1, name, "g0")
    stage.join(0.1, "R", "g1")
    for n in range(6):
        stage.send(3.0 + n / 10, "R", "g0", 60_000.0, "work", 44_000.0)
    stage.outage(5.0, 43_300.0)


kept(
    "no room",
    "give-back",
    "RIPC-GROUP-33",
    "who could not start it kept it, while others were idle",
    drawn(
        (1000,), groups=(3, 3), concurrency=2, kinds=(50, 50, 0, 0, 0, 0), long_share=0.02, wakeups=True, seconds=30.0
    ),
)
kept(
    "room again",
    "look-with-room",
    "RIPC-GROUP-33",
    "who had given it back, and had room again, looked only at its next turn (H20)",
    drawn(
        range(1000, 1008),
        groups=(3, 3),
        concurrency=2,
        kinds=(50, 50, 0, 0, 0, 0),
        long_share=0.02,
        wakeups=True,
        seconds=30.0,
    ),
)
kept(
    "no handler",
    "without-handler-give-back",
    "RIPC-GROUP-35",
    "an instance without a handler rejected what its siblings would have run (H21)",
    drawn(range(1000, 1008), groups=(4, 2), handlerless=0.5, seconds=20.0, kinds=(60, 40, 0, 0, 0, 0), long_share=0.0),
)


@staged(
    "a give-back after a pause", "late-owner-looks", "G5 G6",
    "a member stood still before its give-back left; a sibling ran the request by then, and the give-back freed it (H18)",
    quiet(60.0, latency=0.05, concurrency=1),
)  # fmt: skip
def _late_give_back(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(1.1, "R", "g1")
    stage.send(3.0, "R", "g0", 60.0, "work", 50.0)
    stage.join(4.0, "B", "g0")
    stage.join(4.0, "C", "g0")
    stage.join(4.0, "D", "g0")
    # It is read while a batch is under way, and the pause begins before the reply to that.
    stage.send(14.98, "R", "g0", 60.0, "work", 20.0)
    stage.send(15.01, "A", "g1", 60.0)
    stage.member(15.08, "A", "pause", 14.0)


@staged(
    "many of a dead member", "page-on", "G5",
    "a member died with 300 requests, and only the first hundred were looked at each time",
    quiet(60.0, concurrency=512),
)  # fmt: skip
def _many(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    for n in range(300):
        stage.send(1.0 + n / 1000, "R", "g0", 60.0, "work", 25.0)
    stage.join(3.0, "B", "g0")
    stage.member(20.0, "A", "crash", 0.0)


@staged(
    "more than there is room for", "reclaim-as-room-comes", "RIPC-GROUP-15",
    "a member died with many requests; siblings took what they had places for, and found each further one by two new looks",
    quiet(60.0, concurrency=4),
)  # fmt: skip
def _little_room(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    for n in range(40):
        stage.send(2.5 + n / 1000, "R", "g0", 60.0, "work", 0.5)
    stage.join(2.55, "B", "g0")
    stage.join(2.55, "C", "g0")
    stage.member(2.6, "A", "crash", 0.0)


@staged(
    "ports and gems in turn", "count-by-three", "G5",
    "ports wrote the number of starts, gems added three: what killed each of them was started by a fourth port (H16)",
    quiet(200.0, concurrency=4),
)  # fmt: skip
def _in_turn(stage: Stage) -> None:
    stage.join(0.1, "R", "g1")
    stage.join_gem(0.2, "0", "g0")
    stage.send(1.0, "R", "g0", 190.0, "work", 100.0)
    for n in range(5):
        begin = 2.0 + 34.0 * n
        stage.crash_gem(begin, str(n))
        stage.join(begin + 0.1, f"P{n}", "g0")
        stage.member(begin + 17.0, f"P{n}", "crash", 0.0)
        stage.join_gem(begin + 17.1, str(n + 1), "g0")
