"""The core's rules by name, each switched off from outside: the parts of the core are patched while a test or a world runs.

The shipped core has no branch that a user cannot reach. Whoever plays the core without a rule does it inside ``off(...)``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from redisipc.protocol import commands, leaving, ownership, reclaim, recovering, replies, restoring
from redisipc.protocol.answers import Answers
from redisipc.protocol.breakers import Breakers
from redisipc.protocol.closing import Closing
from redisipc.protocol.commands import Command, Failure, Step
from redisipc.protocol.events import CLOSING, Cancelled, Incoming, Outgoing
from redisipc.protocol.giving_back import GivingBack
from redisipc.protocol.hand_over import HandOver
from redisipc.protocol.keepalive import KeepAlive
from redisipc.protocol.last_look import LastLook
from redisipc.protocol.lifecycle import Lifecycle
from redisipc.protocol.outbox import Outbox
from redisipc.protocol.own_list import OwnList
from redisipc.protocol.ownership import GIVEN_UP, TAKEN_OVER, checked, verify
from redisipc.protocol.reasons import ReasonCode
from redisipc.protocol.reclaim import Reclaimer
from redisipc.protocol.recovering import Recovering
from redisipc.protocol.registration import Registration
from redisipc.protocol.replies import PendingEntry
from redisipc.protocol.requester import Requester
from redisipc.protocol.responder import Responder
from redisipc.protocol.settings import NEVER
from redisipc.protocol.siblings import Siblings

Patch = tuple[Any, str, Any]
"""A class or a module, the name of one of its parts, and what stands there instead."""
RULES: dict[str, list[Patch]] = {}


@contextlib.contextmanager
def off(names: Iterable[str]) -> Iterator[None]:
    """The core without these rules, in this process, until the block ends."""
    patches = [patch for name in names for patch in RULES[name]]
    before = [(owner, part, owner.__dict__[part]) for owner, part, _ in patches]
    for owner, part, instead in patches:
        setattr(owner, part, instead)
    try:
        yield
    finally:
        for owner, part, original in reversed(before):
            setattr(owner, part, original)


def _rule(name: str, *patches: Patch) -> None:
    RULES[name] = list(patches)


def _nothing(*_args: Any, **_options: Any) -> None:
    return None


def _empty(*_args: Any, **_options: Any) -> Any:
    """A procedure that does nothing."""
    yield from ()


def _always(value: Any) -> Callable[..., Any]:
    return lambda *_args, **_options: value


# Writing: nothing twice, nothing lost.


def _repeat(self: Requester, outgoing: Outgoing, now: float) -> None:
    self._not_stored(outgoing, now)


def _answer_again(self: Answers, sent: list[Incoming], _was_sent: bool) -> None:
    for incoming in sent:
        self.shared.outbox.answers.append(incoming)


_rule("write-once", (Requester, "unsure", _repeat), (Answers, "_lost", _answer_again))


def _forget_it(self: Answers, incoming: Incoming, _message: str, _now: float) -> None:
    self.shared.gone(incoming)


_rule("keep-refused-answers", (Answers, "_patient", _always(False)), (Answers, "_drop", _forget_it))

_give_back_step = GivingBack.step


def _give_back_again(self: GivingBack, returned: list[Incoming], now: float) -> Step | None:
    step = _give_back_step(self, returned, now)
    if step is not None:
        step.lost = lambda _sent, _now: self.shared.outbox.returned.extend(returned)
    return step


_rule(
    "claim-once",
    (GivingBack, "step", _give_back_again), (Outbox, "forget_claims", _nothing),
    (GivingBack, "_is_late", _always(False)),
)  # fmt: skip


# Reading: what a lost reply took is found again.


def _read_lost(_self: Lifecycle, _taken_at: float, _block: float) -> None:
    return None


_rule("own-list-first", (Lifecycle, "read_lost", _read_lost), (Recovering, "relist", _empty))
_rule("own-list-twice", (Lifecycle, "_read_again", _nothing))
_rule("own-list-after-late-batch", (Lifecycle, "_read_late", _nothing))


def _kept_since_now(self: Recovering, there: dict[bytes, Any]) -> Any:
    yield from ()
    return dict.fromkeys(there, self.shared.now)


_rule("claim-before-start", (Recovering, "_claim", _kept_since_now), (Responder, "_must_check", _always(False)))
_rule("breakers-last", (Breakers, "broke", _nothing))


# Keeping what is in progress.

_rule("keep-alive", (KeepAlive, "due", _always(NEVER)))
_rule("late-owner-looks", (KeepAlive, "_is_late", _always(False)), (GivingBack, "_is_late", _always(False)))
_rule("late-claim-yields", (ownership, "least_idle", _always(0)), (recovering, "least_idle", _always(0)))


def _missing_is_gone(self: KeepAlive, missing: list[Incoming]) -> None:
    for incoming in missing:
        self.shared.outbox.clean(incoming.entry_id, None, self.shared.now)
        self.responder.lost(incoming, GIVEN_UP)


_rule("look-before-gone", (KeepAlive, "_missing", _missing_is_gone))


def _still_pending(self: Recovering) -> Any:
    """An answer whose fate is unknown is written again if its request is pending for us, and dropped if it is not."""
    shared, names = self.shared, self.shared.names
    unsure = [incoming for incoming in shared.inflight.values() if incoming.state == "unsure"]
    for incoming in unsure:
        line = ("XPENDING", names.stream, names.group, incoming.entry_id, incoming.entry_id, 1, names.dispatcher)
        answers = checked((yield [line]))
        if answers[0]:
            self.responder.answers.not_written(incoming, shared.now)
        else:
            self.responder.lost(incoming, GIVEN_UP)
    held = [incoming for incoming in shared.inflight.values() if incoming.state != "unsure" and not incoming.stranded]
    verdict = yield from verify(shared, held, anew=True)
    for incoming in verdict.lost + verdict.gone:
        self.responder.lost(incoming, TAKEN_OVER)


_rule("body-decides", (Recovering, "_claim_again", _still_pending))


def _same_entry_id(_self: Responder, _known: Incoming, _entry: Any) -> bool:
    return True


_rule(
    "same-id-and-entry", (Responder, "_is_same", _same_entry_id), (ownership, "holds", lambda reply, _one: bool(reply))
)


# Taking over what others left.


def _hold_later(self: Reclaimer, now: float, again: bool) -> None:
    if again:
        self.hold_until = self.hold_given_until = now + self.shared.settings.hold


def _only_unsure(self: Recovering) -> Any:
    unsure = [incoming for incoming in self.shared.inflight.values() if incoming.state == "unsure"]
    verdict = yield from verify(self.shared, unsure, anew=True)
    for incoming in verdict.ours:
        self.responder.answers.not_written(incoming, self.shared.now)
    for incoming in verdict.lost + verdict.gone:
        self.responder.lost(incoming, GIVEN_UP)


_rule("claim-own-first", (Recovering, "_claim_again", _only_unsure), (Reclaimer, "_hold_after_connect", _nothing))
_rule("hold-after-connect", (Reclaimer, "_hold_after_connect", _nothing))
_rule("hold-at-first-connect", (Reclaimer, "_hold_after_connect", _hold_later))
_rule("hold-after-refusal", (Reclaimer, "hold", _nothing))
_rule("write-between-looks", (Reclaimer, "_proof", _always([])))
_rule("two-looks", (Reclaimer, "_between_looks", _always(-1.0)))


def _first_page(self: Reclaimer, _rows: list[PendingEntry]) -> None:
    self._cursor = b"-"


def _two_looks_again(self: Reclaimer, *left: Any) -> None:
    for row in left[:1]:
        self._suspects.pop(row.id, None)
    self.responder.shared_waiting = True


_rule("reclaim-as-room-comes", (Reclaimer, "_left", _two_looks_again), (Reclaimer, "_wait_for_room", _two_looks_again))
_rule("page-on", (Reclaimer, "_page", _first_page))


def _third_where_a_gem_has_it(row: PendingEntry) -> int:
    return -(-row.deliveries // 3) if row.consumer.startswith(b"consumer_") else row.deliveries


def _one_each(stream: bytes, group: bytes, consumer: bytes, id: bytes, idle_ms: int, starts: int) -> Command:
    return ("XCLAIM", stream, group, consumer, idle_ms, id, "RETRYCOUNT", starts, "JUSTID")


_rule(
    "count-by-three",
    (reclaim, "starts_of", _third_where_a_gem_has_it), (replies, "starts_of", _third_where_a_gem_has_it),
    (commands, "take_over", _one_each),
)  # fmt: skip

_DAY, _HALF_A_DAY = 86_400_000, 43_200_000
_rule(
    "mark-of-years",
    (commands, "GIVE_BACK_IDLE_MS", _DAY), (commands, "GIVEN_BACK_FROM_MS", _HALF_A_DAY),
    (reclaim, "GIVEN_BACK_FROM_MS", _HALF_A_DAY), (leaving, "GIVEN_BACK_FROM_MS", _HALF_A_DAY),
    (Reclaimer, "_hold_after_connect", lambda self, now, again: setattr(self, "hold_until", now + self.shared.settings.hold)),
)  # fmt: skip


# Giving back.


def _queue_it(self: Responder, incoming: Incoming, _now: float) -> None:
    self.queue.append(incoming)


_rule(
    "give-back",
    (Responder, "_without_room", _queue_it), (Reclaimer, "look_for_given_back", _nothing),
    (Responder, "siblings_known", lambda self, now: self.start_queued(now)),
)  # fmt: skip
_rule("look-with-room", (Responder, "_tell_room", _nothing))


def _reject_at_once(self: Responder, incoming: Incoming, now: float) -> None:
    self.rejections.reject(incoming, ReasonCode.NO_HANDLER, "this instance has no handler", now)


_rule("without-handler-give-back", (Responder, "_unserved", _reject_at_once))
_rule("look-before-start", (Responder, "_must_check", _always(False)))


# Responses.

_rule("last-look", (Requester, "_may_look", _always(False)))
_rule("delete-before-look", (LastLook, "_delete_first", _nothing))


def _by_the_clock(self: Requester) -> bytes:
    """Where Redis' clock was 10 s ago, as far as it is known."""
    return b"%d-0" % max(0, int((self.shared.server_clock(self.shared.now) - 10) * 1000))


_rule(
    "look-from-known-id",
    (Requester, "_floor", _by_the_clock), (LastLook, "_is_another_stream", _always(False)),
)  # fmt: skip


def _only_acknowledge(self: HandOver, entry_id: bytes, _instance: bytes, now: float) -> None:
    self.shared.outbox.clean(entry_id, None, now)


_rule("settle-unclaimed", (HandOver, "_wait", _only_acknowledge))
_rule("keep-what-waits", (HandOver, "kept", _always([])))
_rule("long-grace", (HandOver, "_grace", _always(5.0)))
_rule("refresh-before-request", (Registration, "_must_refresh", _always(False)))


# Groups and names.

_rule("free-instance-id", (Recovering, "_is_taken", _always(False)))
_rule("group-at-last-read", (Recovering, "_last_read", _always(b"$")))


def _create_and_set(self: Recovering) -> Any:
    shared, names = self.shared, self.shared.names
    line = ("XGROUP", "CREATE", names.stream, names.group, shared.last_read, "MKSTREAM")
    answers = checked((yield [line]), "BUSYGROUP")
    if isinstance(answers[0], Failure):
        return
    answers = checked((yield [("XINFO", "STREAM", names.stream)]))
    last = replies.as_bytes(replies.lookup(answers[0], b"last-generated-id"))
    if replies.id_parts(last) < replies.id_parts(shared.last_read):
        shared.last_read = b"0"
        checked((yield [("XGROUP", "SETID", names.stream, names.group, "0")]))


_rule("never-set-the-group", (Recovering, "_make_group", _create_and_set))
# In a small world each of the two is enough: what an instance had just been given stays with it (RIPC-LIFE-25).
_rule(
    "delete-dead-consumers-late",
    (Siblings, "_may_delete_dead", _always(True)), (restoring, "_just_given", _always(False)),
)  # fmt: skip
_rule("return-what-was-just-given", (restoring, "_just_given", _always(False)))
_rule("restore-what-goes", (restoring, "restore", _empty))


# Closing.


def _close_at_once(self: Closing, now: float, grace: float) -> None:
    self.end_of_grace = now
    self.lifecycle.become(CLOSING)
    self.finish("the endpoint was closed")


_rule("leave-in-order", (Closing, "begin", _close_at_once))


def _only_tell(self: Responder, _now: float) -> None:
    for incoming in list(self.shared.inflight.values()):
        if incoming.state == "checking":
            self._give_back(incoming)
        elif incoming.state == "running":
            incoming.cancelled = True
            self.shared.queue.append(Cancelled(incoming, "the endpoint is closing"))


_rule("reject-at-close-limit", (Responder, "reject_running", _only_tell))
_rule(
    "wait-for-late-answers",
    (Closing, "_has_work", lambda self: bool(self.wiring.responder.running or self.wiring.requester.outstanding)),
)
_poll = OwnList.poll


def _poll_only_up(self: OwnList, now: float) -> None:
    if self.shared.state is CLOSING:
        self.next_poll = None
    else:
        _poll(self, now)


_rule(
    "poll-while-closing",
    (OwnList, "poll", _poll_only_up),
    (Requester, "_may_look", lambda self: self.shared.state is not CLOSING),
)
