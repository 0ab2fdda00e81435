"""The events that a run needs to prove anything: each fault, each kind of work, each cause of a second start, each rule.

Each is counted where it took effect. One that a run of a million requests never reached fails it.
"""

from __future__ import annotations

from collections import Counter

from ..switches import RULES
from .causes import CAUSES
from .history import Ask, History

FAULTS = (
    "crash", "pause", "cut before execution", "cut after execution", "cut in the middle", "cut off", "cut off silently",
    "failover with lost writes", "restart with lost writes", "restart empty", "restart", "group destroyed",
    "stream deleted", "writes refused without memory", "clock step", "rolling restart", "instance id taken", "wake-up lost",
    "every write refused", "read served after its connection was given up",
    "command executed after its connection was given up", "connected first after an outage",
    "group destroyed as somebody joined", "consumer deleted", "side key evicted", "outage of over 120 s",
    "failover with another clock", "handler outlived the disconnect", "content over a slow link",
    "request run by a gem", "gem pruned a consumer", "reply over a limit",
    "ended while it joined",
)  # fmt: skip
WORK = (
    "short handler", "long handler", "nested request", "answer after the handler returned", "rejected by the handler",
    "never answered", "cancelled", "overloaded", "given up after 3 starts", "timeout under 1 s", "timeout of 60 s",
    "sent to a large group", "rejected for want of a handler",
)  # fmt: skip
RARE = {
    "read served after its connection was given up", "handler outlived the disconnect", "gem pruned a consumer",
    "outage of over 120 s", "given up after 3 starts", "reply over a limit",
}  # fmt: skip
"""The events that a run of a few dozen worlds may miss. A run of a million requests may not."""
LONG = 10.0
"""Seconds from which on a handler is long: without keep-alive it would be reclaimed."""
LARGE = 6
"""Members from which on a group is large."""
_KINDS = {
    "later": "answer after the handler returned",
    "nested": "nested request",
    "reject": "rejected by the handler",
    "silent": "never answered",
}


def work_of(history: History) -> Counter[str]:
    """The kinds of a world's requests; a handler that never started counts for nothing."""
    members = Counter(process.group for process in history.processes if process.up_at is not None)
    done: Counter[str] = Counter()
    for ask in history.asks:
        done.update(_work(ask))
        done["sent to a large group"] += members[ask.destination] >= LARGE
    return done


def _work(ask: Ask) -> list[str]:
    found = []
    if ask.runs:
        found.append("long handler" if ask.duration >= LONG else "short handler")
        if ask.kind in _KINDS:
            found.append(_KINDS[ask.kind])
    if ask.status == "cancelled":
        found.append("cancelled")
    content = ask.content or b""
    if content.startswith(b"overloaded: "):
        found.append("overloaded")
    elif content.startswith(b"given_up: "):
        found.append("given up after 3 starts")
    elif content.startswith(b'"no_handler: '):
        found.append("rejected for want of a handler")
    if ask.timeout < 1.0:
        found.append("timeout under 1 s")
    elif ask.timeout == 60.0:
        found.append("timeout of 60 s")
    return found


def missing(struck: Counter[str]) -> list[str]:
    """Faults and work that did not happen at all."""
    return [name for name in FAULTS + WORK if not struck[name]]


def unreached(struck: Counter[str], causes: Counter[str], reached: Counter[str]) -> list[str]:
    """Everything that did not happen at all."""
    never = [f"fault or work: {name}" for name in missing(struck)]
    never += [f"cause: {name}" for name in CAUSES if not causes[name]]
    never += [f"rule: {name}" for name in RULES if not reached[name]]
    return never


def table(struck: Counter[str], reached: Counter[str]) -> str:
    """All of it with its counts, for the figures of a run."""
    faults = ", ".join(f"{name} {struck[name]}" for name in FAULTS)
    work = ", ".join(f"{name} {struck[name]}" for name in WORK)
    rules = ", ".join(f"{name} {reached[name]}" for name in RULES)
    return f"  faults: {faults}\n  work: {work}\n  rules: {rules}"
