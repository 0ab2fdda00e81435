"""Makes the parts of an endpoint agree again, after an exception anywhere in them.

A signal handler may raise between any two steps of the core, where the core runs on the thread that signals interrupt.
The core then derives again what can be derived. What may have been written counts as unknown, as after a lost
connection. Entries that were forgotten on the way are in its own pending list, which is read again after every loss.
"""

from __future__ import annotations

from collections.abc import Iterable

from .commands import Batch
from .events import Finished, Incoming, Outcome, Start
from .wiring import Wiring


def mend(wiring: Wiring, writing: Batch | None, started: Iterable[Incoming], now: float) -> None:
    """``writing`` is the batch under way; ``started`` are the requests whose handlers the runtime has started and not
    reported as done.
    """
    shared = wiring.shared
    shared.take_failure()
    if writing is not None:
        for step in writing.steps:
            if step.lost is not None:
                step.lost(True, now)
    _mend_requests(wiring, now)
    _mend_handlers(wiring, set(started), now)
    wiring.hand_over.forget_questions(now)


def _mend_requests(wiring: Wiring, now: float) -> None:
    requester, outbox = wiring.requester, wiring.shared.outbox
    waiting = set(outbox.adds)
    for outgoing in list(requester.outstanding.values()):
        if outgoing.state == "finished":
            requester.outstanding.pop(outgoing.id, None)
            outcome = Outcome("failed", None, "interrupted by an exception of a signal handler")
            wiring.shared.queue.append(Finished(outgoing, outcome))
        elif outgoing.state == "sending":
            requester.unsure(outgoing, now)
        elif outgoing.state == "queued" and outgoing not in waiting:
            outbox.adds.append(outgoing)
    requester.remember_deadlines()


def _mend_handlers(wiring: Wiring, started: set[Incoming], now: float) -> None:
    responder, shared = wiring.responder, wiring.shared
    starting = {event.incoming for event in shared.queue if isinstance(event, Start)}
    queued = {*responder.queue, *responder.behind, *responder.beyond}
    answers = set(shared.outbox.answers)
    for incoming in list(shared.inflight.values()):
        if incoming.state == "checking":
            responder.put_back([incoming])
        elif incoming.state == "queued" and incoming not in queued:
            responder.queue.append(incoming)
        elif incoming.state == "running" and incoming not in started | starting:
            if not incoming.done and incoming.answer is None:
                shared.queue.append(Start(incoming))
                starting.add(incoming)
        elif incoming.state == "answering" and incoming not in answers:
            # It may have been written: check it like any answer whose outcome is unknown.
            responder.answers.lost(incoming)
    left = started | starting
    responder.running = len(left)
    responder.started = {incoming: responder.started.get(incoming, now) for incoming in left}
