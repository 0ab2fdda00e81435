"""How long the suite waits for what: the one table of times. `--time-scale` multiplies all of them.

A budget is what the wire may take on a busy machine, not what it takes: waiting ends when the thing is there.
"""

from __future__ import annotations

SECONDS: dict[str, float] = {
    "connect": 10.0,  # An endpoint joins.
    "delivery": 5.0,  # A new entry reaches a handler or a peer.
    "response": 5.0,  # An answer reaches the caller.
    "settle": 6.0,  # Something is written, acknowledged, deleted, reported.
    "fence": 8.0,  # Everything asked before has been dealt with.
    "handover": 2.0,  # A response reaches the instance that waits for it.
    "wakeup": 0.1,  # What is promised within 100 ms of a wake-up.
    "grace": 1.0,  # A timeout is reported at most this long after it is due.
    "recover": 8.0,  # An endpoint is back after a fault.
    "reclaim": 15.0,  # What a dead member had is started by another one.
    "keepalive": 12.0,  # An endpoint has shown that it lives.
    "disconnect": 6.0,  # An endpoint has left.
}
SLACK: dict[str, float] = {"wakeup": 0.2}
"""The time that the machine may add to a budget that the specification promises: it must also wake processes.
Reports show promise and slack apart."""
NO_TIMEOUT = 24 * 3600.0
"""Seconds. `--no-timeouts`: long enough for a debugger."""


def table(scale: float = 1.0, *, no_timeouts: bool = False, delay: float = 0.0) -> dict[str, float]:
    """The budgets of a run, in seconds, slack included. `delay`: what the testee takes to answer anything."""
    return {
        name: NO_TIMEOUT if no_timeouts else (seconds + SLACK.get(name, 0.0)) * scale + delay
        for name, seconds in SECONDS.items()
    }
