"""How often each rule of the core took effect: its functions are wrapped while worlds are played, and count when they mattered.

A rule that no world ever reaches is not proved by worlds without a violation.
"""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from redisipc.protocol import ownership, reclaim, recovering, restoring
from redisipc.protocol.answers import Answers
from redisipc.protocol.breakers import Breakers
from redisipc.protocol.closing import Closing
from redisipc.protocol.commands import COUNTS_A_START, GIVEN_BACK_FROM_MS
from redisipc.protocol.events import CLOSING
from redisipc.protocol.giving_back import GivingBack
from redisipc.protocol.hand_over import HandOver
from redisipc.protocol.keepalive import KeepAlive
from redisipc.protocol.last_look import LastLook
from redisipc.protocol.lifecycle import Lifecycle
from redisipc.protocol.outbox import Outbox
from redisipc.protocol.own_list import OwnList
from redisipc.protocol.reclaim import Reclaimer
from redisipc.protocol.recovering import Recovering
from redisipc.protocol.registration import Registration
from redisipc.protocol.requester import Requester
from redisipc.protocol.responder import Responder
from redisipc.protocol.siblings import Siblings

Mattered = Callable[..., bool]
"""Gets the result of the call, then its arguments as they were before it."""
_HALF_A_DAY_MS = 43_200_000
_SHORT_GRACE = 5.0
_PAGE = 100


def _always(_result: Any, *_arguments: Any) -> bool:
    return True


def _yes(result: Any, *_arguments: Any) -> bool:
    return bool(result)


def _no(result: Any, *_arguments: Any) -> bool:
    return not result


def _held_back(first: bool) -> Mattered:
    """A second look that would have claimed something, were it not so soon after a connect."""

    def mattered(result: Any, self: Reclaimer, _row: Any, now: float) -> bool:
        connect = now < self.shared.up_since + self.shared.settings.hold
        return bool(result) and connect and (self.hold_given_until > self.shared.up_since) is not first

    return mattered


def _unsure_here(_result: Any, self: Recovering) -> bool:
    return any(incoming.state == "unsure" for incoming in self.shared.inflight.values())


def _first_look(result: Any, self: Reclaimer, row: Any, _now: float) -> bool:
    return not result and bool(row.idle >= self.shared.settings.reclaim_after * 1000)


def _long_idle(_result: Any, _self: Reclaimer, row: Any, _now: float) -> bool:
    return bool(_HALF_A_DAY_MS <= row.idle < GIVEN_BACK_FROM_MS)


def _waits_for_long(_result: Any, self: HandOver) -> bool:
    now = self.shared.now
    return any(now - self._since.get(entry_id, now) >= _SHORT_GRACE for entry_id in self.in_grace)


def _knows_it(_result: Any, _self: LastLook, wanted: dict[bytes, Any]) -> bool:
    return any(outgoing.entry_id for outgoing in wanted.values())


def _only_answers(_result: Any, self: Closing) -> bool:
    wiring = self.wiring
    return bool(self.shared.inflight) and not wiring.responder.running and not wiring.requester.outstanding


def _another(result: Any, reply: Any, _incoming: Any) -> bool:
    return bool(reply) and not result


def _rejected(_result: Any, self: Responder, _now: float) -> bool:
    return any(incoming.closed for incoming in self.shared.inflight.values())


def _was_sent(_result: Any, _self: Answers, sent: list[Any], was_sent: bool) -> bool:
    return bool(sent) and was_sent


PLACES: dict[str, list[tuple[Any, str, Mattered]]] = {
    "write-once": [(Requester, "unsure", _always), (Answers, "_lost", _was_sent)],
    "keep-refused-answers": [(Answers, "_patient", _yes)],
    "claim-once": [(Outbox, "forget_claims", _always)],
    "own-list-first": [(Recovering, "_route", lambda _result, _self, rows: bool(rows))],
    "own-list-twice": [(Lifecycle, "relist", _always)],
    "own-list-after-late-batch": [(Lifecycle, "_read_late", _always)],
    "claim-before-start": [(Recovering, "_claim", _always)],
    "breakers-last": [(Breakers, "alone", _yes)],
    "keep-alive": [(KeepAlive, "_claim", _always)],
    "late-owner-looks": [(KeepAlive, "_is_late", _yes), (GivingBack, "_is_late", _yes)],
    "late-claim-yields": [(ownership, "least_idle", _yes), (recovering, "least_idle", _yes)],
    "look-before-gone": [(KeepAlive, "_missing", _always)],
    "body-decides": [(Recovering, "_claim_again", _unsure_here)],
    "same-id-and-entry": [(Responder, "_is_same", _no), (ownership, "holds", _another)],
    "claim-own-first": [(Recovering, "_claim_again", lambda _result, self: bool(self.shared.inflight))],
    "hold-after-connect": [(Reclaimer, "_is_lost", _held_back(False))],
    "hold-at-first-connect": [(Reclaimer, "_is_lost", _held_back(True))],
    "hold-after-refusal": [(Reclaimer, "hold", _always)],
    "write-between-looks": [(Reclaimer, "_proof", lambda _result, self: self.shared.pauses.writes.active)],
    "two-looks": [(Reclaimer, "_is_lost", _first_look)],
    "reclaim-as-room-comes": [(Reclaimer, "_left", _always)],
    "page-on": [(Reclaimer, "_page", lambda _result, _self, rows: len(rows) >= _PAGE)],
    "count-by-three": [(reclaim, "starts_of", lambda _result, row: row.deliveries >= COUNTS_A_START)],
    "mark-of-years": [(Reclaimer, "_is_lost", _long_idle)],
    "give-back": [(Responder, "_give_back", _always)],
    "look-with-room": [(Responder, "_tell_room", lambda _result, self: bool(self.shared_waiting and self.room))],
    "without-handler-give-back": [(Responder, "_unserved", lambda _result, self, *_rest: bool(self.siblings()))],
    "look-before-start": [(Responder, "_must_check", _yes)],
    "last-look": [(Requester, "_looked_at", _yes)],
    "delete-before-look": [(LastLook, "_delete_first", _knows_it)],
    "look-from-known-id": [(LastLook, "_found_request", _always)],
    "settle-unclaimed": [(HandOver, "_settle", _always)],
    "keep-what-waits": [(HandOver, "kept", _yes)],
    "long-grace": [(HandOver, "siblings_seen", _waits_for_long)],
    "refresh-before-request": [(Registration, "_must_refresh", _yes)],
    "free-instance-id": [(Recovering, "_is_taken", _yes)],
    "group-at-last-read": [(Recovering, "_last_read", _always)],
    "never-set-the-group": [(Recovering, "_last_read", lambda result, *_rest: result == b"0")],
    "delete-dead-consumers-late": [(Siblings, "_may_delete_dead", _no)],
    "return-what-was-just-given": [(restoring, "_just_given", _yes)],
    "restore-what-goes": [(restoring, "restore", _always)],
    "leave-in-order": [(Lifecycle, "leave", _always)],
    "reject-at-close-limit": [(Responder, "reject_running", _rejected)],
    "wait-for-late-answers": [(Closing, "_has_work", _only_answers)],
    "poll-while-closing": [(OwnList, "poll", lambda _result, self, _now: self.shared.state is CLOSING)],
}
"""By the names of ``switches.RULES``: where each takes effect, and when it mattered there."""


@contextlib.contextmanager
def counted(counts: Counter[str]) -> Iterator[None]:
    """Count what is reached, in this process, until the block ends."""
    before: list[tuple[Any, str, Any]] = []
    for name, places in PLACES.items():
        for owner, part, mattered in places:
            original = owner.__dict__[part]
            before.append((owner, part, original))
            setattr(owner, part, _counting(original, name, mattered, counts))
    try:
        yield
    finally:
        for owner, part, original in reversed(before):
            setattr(owner, part, original)


def _counting(original: Any, name: str, mattered: Mattered, counts: Counter[str]) -> Any:
    @functools.wraps(original)
    def counting(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        if mattered(result, *arguments, *options.values()):
            counts[name] += 1
        return result

    return counting
