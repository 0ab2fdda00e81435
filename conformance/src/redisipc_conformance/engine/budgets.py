"""How long the suite waits for what: the one table of times. `--time-scale` multiplies all of them.

A budget is what the wire may take on a busy machine, not what it takes: waiting ends when the thing is there.
"""

from __future__ import annotations

SECONDS: dict[str, float] = {
    "connect": 10.0,
    "delivery": 5.0,
    "response": 5.0,
    "settle": 6.0,
    "fence": 8.0,
    "handover": 2.0,
    "wakeup": 0.1,
    "grace": 1.0,
    "recover": 8.0,
    "reclaim": 15.0,
    "keepalive": 12.0,
    "disconnect": 6.0,
}
SLACK: dict[str, float] = {"wakeup": 0.2}
"""The time that the machine may add to a budget that the specification promises: it must also wake processes.
Reports show promise and slack apart."""
MEANING: dict[str, str] = {
    "connect": "an endpoint joins",
    "delivery": "a new entry reaches a handler or a peer",
    "response": "an answer reaches the caller",
    "settle": "something is written, acknowledged, deleted, reported",
    "fence": "everything asked before has been dealt with",
    "handover": "a response reaches the instance that waits for it",
    "wakeup": "what is promised within 100 ms of a wake-up",
    "grace": "a timeout is reported at most this long after it is due",
    "recover": "an endpoint is back after a fault",
    "reclaim": "what a dead member had is started by another one",
    "keepalive": "an endpoint has shown that it lives",
    "disconnect": "an endpoint has left",
}
NO_TIMEOUT = 24 * 3600.0
"""Seconds. `--no-timeouts`: long enough for a debugger."""


def table(scale: float = 1.0, *, no_timeouts: bool = False, delay: float = 0.0) -> dict[str, float]:
    """The budgets of a run, in seconds, slack included. `delay`: what the testee takes to answer anything."""
    return {
        name: NO_TIMEOUT if no_timeouts else (seconds + SLACK.get(name, 0.0)) * scale + delay
        for name, seconds in SECONDS.items()
    }
