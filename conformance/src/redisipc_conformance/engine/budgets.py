"""The one table of times: how long the suite waits for each kind of thing. `--time-scale` multiplies all of them.

A budget is the longest time that the wire may take on a busy machine. Waiting ends when the thing is there.
"""

from __future__ import annotations

SECONDS: dict[str, float] = {
    "connect": 10.0,  # An endpoint joins.
    "delivery": 5.0,  # A new entry reaches a handler or a peer.
    "response": 5.0,  # An answer reaches the caller.
    "settle": 6.0,  # Something is written, acknowledged, deleted, reported.
    "fence": 8.0,  # Everything that was asked before has been handled.
    "handover": 2.0,  # A response reaches the instance that waits for it.
    "wakeup": 0.1,  # What is promised within 100 ms of a wake-up.
    "grace": 1.0,  # A timeout is reported at most this long after it is due.
    "recover": 8.0,  # An endpoint is back after a fault.
    "reclaim": 15.0,  # Requests of a dead member are started by another one.
    "keepalive": 12.0,  # An endpoint has shown that it lives.
    "disconnect": 6.0,  # An endpoint has left.
}
SLACK: dict[str, float] = {"wakeup": 0.2}
"""Time that the machine may add to a budget of the specification, since it must also wake processes.
Reports show promise and slack separately."""
NO_TIMEOUT = 24 * 3600.0
"""Seconds. `--no-timeouts`: a value that leaves time for a debugger."""


def table(scale: float = 1.0, *, no_timeouts: bool = False, delay: float = 0.0) -> dict[str, float]:
    """The budgets of a run, in seconds, slack included. `delay`: the time that the testee takes for any answer."""
    return {
        name: NO_TIMEOUT if no_timeouts else (seconds + SLACK.get(name, 0.0)) * scale + delay
        for name, seconds in SECONDS.items()
    }
