"""Answers of this instance: each is one MULTI with its acknowledgement and deletion, repeated only where that is safe."""

from __future__ import annotations

from typing import Any

from . import commands, replies
from .commands import Failure, Step
from .core import Core
from .entry import build
from .errors_of_redis import is_group_lost, is_outage, is_refusal
from .events import Incoming
from .states import advance


class Answers:
    """From the answer of a handler, or of the responder itself, to its last reply of Redis."""

    def __init__(self, core: Core) -> None:
        self.core = core
        core.outbox.answer_step = self._step

    def add(self, incoming: Incoming, status: bytes, text: bytes, now: float) -> None:
        """To be written with the next batch; its state is ``answering`` already."""
        incoming.answer = (status, text, now)
        self.core.outbox.answers.append(incoming)

    def _step(self, items: list[Incoming]) -> Step:
        core = self.core
        names = core.names
        lines: list[commands.Command] = []
        sent: list[Incoming] = []
        for incoming in items:
            if incoming.state != "answering" or incoming.answer is None:
                continue
            sent.append(incoming)
            status, text, _ = incoming.answer
            # RIPC-ENTRY-7 to 9
            fields = build(incoming.id, incoming.instance_id, status, text, names.group, incoming.source_group)
            lines.append(commands.add(names.stream, fields))
        if not sent:
            return Step([], lambda _replies, _now: None)
        ids = [incoming.entry_id for incoming in sent]
        lines.append(commands.acknowledge(names.stream, names.group, ids))
        lines.append(commands.delete(names.stream, ids))

        def done(answers: list[Any], now: float) -> None:
            failure = replies.first_failure(answers)
            if failure is None:
                core.answers_refused = False
                core.taken()
                for incoming, result in zip(sent, answers[-1], strict=False):
                    if result is None:
                        self._strand(incoming)
                        continue
                    core.gone(incoming, "answered")
                return
            self._refused(sent, failure, now)

        def lost(was_sent: bool, now: float) -> None:
            for incoming in sent:
                if was_sent and not core.without("rule1"):
                    advance(incoming, "unknown")
                else:
                    core.outbox.answers.append(incoming)

        # RIPC-RESP-4 to 6
        return Step(commands.atomic(lines), done, lost)

    def _strand(self, incoming: Incoming) -> None:
        """The stream is gone, and the request with it: its requester may still wait, so the answer is written to the new one."""
        incoming.stranded = True
        advance(incoming, "not answered")
        self.core.outbox.answers.append(incoming)
        self.core.fail(Failure("NOGROUP", "NOGROUP the stream is gone"))

    def _refused(self, sent: list[Incoming], failure: Failure, now: float) -> None:
        core = self.core
        for incoming in sent:
            assert incoming.answer is not None
            # RIPC-RESP-15
            patient = now - incoming.answer[2] < core.settings.answer_patience
            if is_outage(failure) or is_group_lost(failure) or (is_refusal(failure) and patient):
                if is_refusal(failure) and core.without("rule12"):
                    core.gone(incoming)
                    continue
                advance(incoming, "not answered")
                core.outbox.answers.append(incoming)
            else:
                core.problem("answer", f"an answer could not be written: {failure.message}", incoming.entry_id)
                core.gone(incoming)
                # It was run: nobody may run it again.
                core.outbox.clean(incoming.entry_id, incoming.entry_id, now)
        if is_outage(failure) or is_group_lost(failure):
            core.fail(failure)
        elif is_refusal(failure):
            core.refused(failure, now)
            core.answers_refused = True

    @property
    def refused(self) -> bool:
        """Whether answers wait that Redis refused to store, be they between two attempts or on their way (RIPC-RESP-16)."""
        return self.core.answers_refused and any(i.state == "answering" for i in self.core.inflight.values())

    def unsure(self) -> list[Incoming]:
        """Answers of which nobody knows whether they were written."""
        return [incoming for incoming in self.core.inflight.values() if incoming.state == "unsure"]

    def settle(self, incoming: Incoming, still_ours: bool) -> None:
        """After a look at the pending list: repeat the answer only where the request is still pending for us (RIPC-RESP-14)."""
        if incoming.state != "unsure":
            return
        if still_ours:
            advance(incoming, "still pending")
            self.core.outbox.answers.append(incoming)
        else:
            self.core.gone(incoming)
