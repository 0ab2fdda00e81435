"""Groups, consumers and names that somebody else makes or deletes."""

from __future__ import annotations

from .stage import REDIS_6, Stage, drawn, kept, quiet, staged

kept(
    "a taken name", "free-instance-id", "G9 G2 G3 G5 G6", "two members had one instance id, and each took the other's responses",
    drawn((1004, 1005), groups=(9, 9), clashing_ids=True),
)  # fmt: skip
kept(
    "a group made at its end", "group-at-last-read", "G5 RIPC-GROUP-25",
    "a group that was lost was made again behind what had been sent meanwhile",
    drawn(range(1000, 1008), faults=("group",), fault_count=1, groups=(1, 1), latency=0.02, seconds=8.0,
          wave=3, kinds=(1, 0, 0, 0, 0, 0), concurrency=64, short_timeouts=False),
)  # fmt: skip


@staged(
    "a group that is set back", "never-set-the-group", "G6",
    "two made a group on a new stream; one ran what came, the other set the group back to its begin, and it ran again (H6)",
    quiet(60.0, REDIS_6, latency=0.01),
)  # fmt: skip
def _set_back(stage: Stage) -> None:
    stage.join(0.1, "B", "g0")
    stage.join(0.2, "A", "g0")
    stage.join(0.1, "R", "g1")
    # B runs the first one and A the second one, so that the read of B is first in line again.
    stage.send(1.0, "R", "g0", 5.0)
    stage.send(1.5, "R", "g0", 5.0)
    stage.operate(7.0, "stream", "DEL", "s")
    # A learns of it, and makes the group; on Redis 6.2 B continues to wait, and reads what comes to the new stream.
    stage.send(7.1, "A", "g1", 5.0)
    stage.send(7.168, "R", "g0", 20.0, "work", 10.0)
    stage.member(7.19, "B", "isolate", 0.5, False)


@staged(
    "consumers of who comes back late", "delete-dead-consumers-late", "RIPC-LIFE-23",
    "after an outage of 125 s the first to be back deleted the consumers of those who came later (H9)",
    quiet(200.0, backoff_most=8.0),
)  # fmt: skip
def _long_outage(stage: Stage) -> None:
    for name in "ABCD":
        stage.join(0.1, name, "g0")
    stage.outage(5.0, 125.0)


@staged(
    "back as its consumers are deleted", "return-what-was-just-given", "G6",
    "a member that was away for two minutes was back between a slow sibling's look and its deletion, and read requests that "
    "this sibling then gave back (H9)",
    quiet(150.0, backoff_most=0.1),
)  # fmt: skip
def _back_late(stage: Stage) -> None:
    stage.join(1.6, "A", "g0")
    stage.join(0.2, "B", "g0")
    stage.join(0.3, "S", "g0")
    stage.join(0.1, "R", "g1")
    stage.slow(110.0, "S", 0.25)
    stage.member(3.0, "B", "isolate", 119.5, False)
    for number in range(12):
        stage.send(122.53 + 0.03 * number, "R", "g0", 20.0, "work", 9.0)


@staged(
    "handed over to who leaves", "restore-what-goes", "RIPC-LIFE-25 G8",
    "a sibling handed a response over to an instance that was just leaving: it went with the consumer (H10)",
    quiet(60.0, latency=0.05, seed=14),
)  # fmt: skip
def _leaving(stage: Stage) -> None:
    stage.join(0.1, "R", "g1")
    stage.join(0.1, "A", "g0")
    for name in "BC":
        stage.join(0.2, name, "g1")
    for _ in range(6):
        stage.send(12.0, "R", "g0", 30.0, "work", 2.15)
    stage.member(14.0, "R", "close", 0.0)
