"""Each rule of the core: the configuration in which its absence shows, and the property that breaks there.

The names are those of ``tests/switches.py``. A rule that no configuration can show is in ``ELSEWHERE`` with the reason.
"""

from __future__ import annotations

from typing import NamedTuple

from .configurations import CONFIGURATIONS
from .search import Result, explore


class Shown(NamedTuple):
    """Where the absence of a rule shows."""

    configuration: str
    breaks: str


RULES: dict[str, Shown] = {
    "write-once": Shown("request", "copies"),
    "keep-refused-answers": Shown("no-memory", "started-again"),
    "claim-once": Shown("give-back", "taken"),
    "own-list-first": Shown("own-list", "kept"),
    "own-list-twice": Shown("half-open", "waits"),
    "own-list-after-late-batch": Shown("late-command", "kept"),
    "claim-before-start": Shown("own-list", "claimed"),
    "keep-alive": Shown("clock", "kept"),
    "late-owner-looks": Shown("late-owner", "taken"),
    "late-claim-yields": Shown("late-owner", "started-again"),
    "look-before-gone": Shown("consumer-deleted", "answered"),
    "body-decides": Shown("unsure-answer", "answered"),
    "same-id-and-entry": Shown("same-id", "taken"),
    "claim-own-first": Shown("late-member", "started-again"),
    "hold-after-connect": Shown("late-member", "started-again"),
    "hold-at-first-connect": Shown("late-member", "started-again"),
    "hold-after-refusal": Shown("no-writes", "started-again"),
    "write-between-looks": Shown("no-writes", "started-again"),
    "two-looks": Shown("clock", "started-again"),
    "count-by-three": Shown("gem", "starts"),
    "mark-of-years": Shown("overnight", "started-again"),
    "give-back": Shown("room", "waits"),
    "look-with-room": Shown("room", "waits"),
    "without-handler-give-back": Shown("give-back", "rejected"),
    "look-before-start": Shown("late-owner", "claimed"),
    "last-look": Shown("hand-over", "delivered"),
    "delete-before-look": Shown("last-look", "started-again"),
    "look-from-known-id": Shown("clock-back", "residue"),
    "settle-unclaimed": Shown("grace", "residue"),
    "keep-what-waits": Shown("grace", "kept"),
    "long-grace": Shown("evicted", "delivered"),
    "refresh-before-request": Shown("unregistered", "delivered"),
    "free-instance-id": Shown("twin", "delivered"),
    "group-at-last-read": Shown("group-destroyed", "started"),
    "never-set-the-group": Shown("stream-deleted", "started-again"),
    "delete-dead-consumers-late": Shown("dead-consumer", "started-again"),
    "return-what-was-just-given": Shown("back-late-and-asks", "delivered"),
    "restore-what-goes": Shown("leaving", "residue"),
    "leave-in-order": Shown("late-answer", "started-again"),
    "reject-at-close-limit": Shown("outlived", "started-again"),
    "wait-for-late-answers": Shown("late-answer", "rejected"),
    "poll-while-closing": Shown("leaving", "delivered"),
}
ELSEWHERE: dict[str, str] = {
    "breakers-last": "replies have no limit in a small world; a stored plan of the simulation shows it",
    "page-on": "a look lists 100 entries, more than a small world has",
    "reclaim-as-room-comes": "it is late without the rule, and breaks no property; a stored plan of the simulation shows it",
}


def without(rule: str) -> Result:
    """The result of the rule's configuration without the rule, up to its counterexample."""
    shown = RULES[rule]
    return explore(CONFIGURATIONS[shown.configuration], frozenset((shown.breaks,)), without=(rule,))
