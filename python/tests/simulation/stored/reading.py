"""Replies to reads that are lost, lie about, or go to a connection that nobody reads any more."""

from __future__ import annotations

from .stage import Stage, drawn, kept, quiet, staged


@staged(
    "a lost read", "own-list-first", "RIPC-RECOV-21",
    "what a lost reply had taken from the group was not looked for",
    quiet(60.0),
)  # fmt: skip
def _lost_read(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    stage.member(3.0, "A", "spoil", "after", False, "")
    stage.send(3.1, "R", "g0", 30.0)


@staged(
    "a read that was served to nobody", "own-list-twice", "RIPC-RECOV-21",
    "Redis served the dead connection that had blocked first, after its own list had been read; nobody ran it for 10 s (H7)",
    quiet(60.0, half_open=True),
)  # fmt: skip
def _half_open(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    # Its second read begins at 5.1 s, and the silence right after it; at 8.3 s it gives both connections up.
    stage.member(5.2, "A", "isolate", 0.5, True)
    # What it sends to its own group reads nothing, so that no late batch makes it look once more.
    stage.send(5.3, "A", "g0", 30.0)
    stage.send(9.5, "R", "g0", 30.0)


@staged(
    "found and started", "claim-before-start", "RIPC-GROUP-31",
    "a request was found in its own list after 5 s, and started without a claim: siblings were about to take it (H3)",
    quiet(30.0),
)  # fmt: skip
def _found(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    stage.member(3.0, "A", "spoil", "after", False, "")
    stage.send(3.1, "R", "g0", 30.0, "work", 5.0)
    stage.member(3.11, "A", "isolate", 5.0, False)


@staged(
    "a body that breaks each connection", "breakers-last", "RIPC-RECOV-28",
    "each reader came back, read the body again, and lost its connection: nobody was served until its requester gave up",
    quiet(90.0),
)  # fmt: skip
def _breaker(stage: Stage) -> None:
    for name in "AB":
        stage.join(0.1, name, "g0")
    stage.join(0.1, "R", "g1")
    stage.limit(1000)
    stage.send(14.0, "R", "g0", 60.0)
    stage.send(14.0, "R", "g0", 60.0, padding=5000)
    for n in range(30):
        stage.send(14.001 + n * 1.5, "R", "g0", 8.0)


kept(
    "what waited", "look-before-start", "RIPC-RESP-13",
    "what had waited was started though its requester had given up",
    drawn((1000,), groups=(1, 1), concurrency=1, kinds=(60, 40, 0, 0, 0, 0), long_share=0.0, short_timeouts=True,
          max_queue=1000, seconds=20.0),
)  # fmt: skip


@staged(
    "another request under the same entry ID", "same-id-and-entry", "RIPC-RECOV-4",
    "a failover lost a request that ran, and its entry ID was given out again: the new request passed for the old one (H22)",
    quiet(40.0, latency=0.00001),
)  # fmt: skip
def _same_entry_id(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    stage.send(5.0, "R", "g0", 60.0, "work", 20.0)
    stage.member(5.4, "A", "isolate", 3.0, False)
    stage.failover(4.9, 5.5, 0.5, skew=-2.0)
    stage.send(7.0, "R", "g0", 20.0)


@staged(
    "a batch that reads too late", "own-list-after-late-batch", "RIPC-RECOV-21",
    "Redis executed a batch that reads after its member was back and had read its own list; what it took lay about",
    quiet(60.0, latency=0.05, groups=(0,) * 5),
)  # fmt: skip
def _late_batch(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    for number, name in enumerate("RSTU", 1):
        stage.join(0.1, name, f"g{number}")
    stage.member(5.0, "A", "spoil", "late", True, "XADD")
    stage.send(5.0, "A", "g1", 30.0)
    # So many that some wait for the next read of A whenever the batch is executed.
    for n in range(200):
        stage.send(5.1 + n / 60, "RSTU"[n % 4], "g0", 30.0)
