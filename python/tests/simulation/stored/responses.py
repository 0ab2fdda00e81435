"""Responses that lie somewhere: with a member that died, with one that waits, or on a stream that is another one by now."""

from __future__ import annotations

from .stage import Stage, drawn, kept, quiet, staged

kept(
    "a response with a deaf member", "last-look", "G9",
    "a response lay with a member that was cut off, and its requester timed out",
    drawn((1016, *range(1000, 1016)), faults=("hole",), fault_count=8, groups=(4, 4), wakeups=True, seconds=20.0,
          short_timeouts=True),
)  # fmt: skip
kept(
    "deleted after the look", "delete-before-look", "RIPC-TIME-13",
    "a request was deleted after its last look: who started it in between answered nobody (H12)",
    drawn((1000,), groups=(1, 1), short_timeouts=True, concurrency=1),
)  # fmt: skip
kept(
    "responses to nobody", "settle-unclaimed", "G8", "responses to instances that had died stayed in the stream for ever",
    drawn((1000,), faults=("crash",), fault_count=8, groups=(3, 3), wakeups=True),
)  # fmt: skip


@staged(
    "a clock that goes back", "look-from-known-id", "RIPC-TIME-10",
    "nobody knew whether a request was stored, and Redis' clock had gone back: the look began behind it (H13)",
    quiet(300.0),
)  # fmt: skip
def _clock_goes_back(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    stage.send(3.0, "R", "g0", 5.0)
    # Between two looks at Redis' clock.
    stage.clock(151.05, -100.0)
    stage.member(150.5, "A", "pause", 90.0)
    stage.member(151.0, "R", "spoil", "after", True, "XADD")
    stage.send(151.1, "R", "g0", 4.0)


kept(
    "a response that waits", "keep-what-waits", "RIPC-ROUTE-16",
    "a response waited for its instance for 12 s, and siblings took it for left alone (H15)",
    drawn(range(1000, 1010), faults=("crash",), fault_count=6, groups=(4, 2), wakeups=True, seconds=40.0),
)  # fmt: skip


@staged(
    "unregistered for a moment", "long-grace", "RIPC-ROUTE-8",
    "a list was evicted, and the responses of its instance were settled before it could register again (H15)",
    quiet(60.0),
)  # fmt: skip
def _evicted(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    for name in "BCD":
        stage.join(0.2, name, "g1")
    for n in range(12):
        stage.send(12.0 + n / 10, "R", "g0", 20.0, "work", 4.0)
    stage.at(15.7, lambda: _evict(stage))


def _evict(stage: Stage) -> None:
    names = stage.members["R"].endpoint.shared.names
    stage.operate(15.8, "trimmed", "DEL", names.registration)


@staged(
    "asleep until the list expired", "refresh-before-request", "RIPC-LIFE-27",
    "a member slept for over 100 s and asked at once: its response could be handed to nobody (H15)",
    quiet(200.0, latency=0.02, faults=(), seed=6),
)  # fmt: skip
def _asleep(stage: Stage) -> None:
    stage.join(0.1, "A", "g0")
    stage.join(0.1, "R", "g1")
    for name in "BCDE":
        stage.join(0.2, name, "g1")
    stage.member(10.0, "R", "pause", 110.0)
    for _ in range(8):
        stage.send(60.0, "R", "g0", 30.0)
