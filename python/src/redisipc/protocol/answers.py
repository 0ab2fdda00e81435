"""Writes answers: each is one MULTI with its acknowledgement and deletion, repeated only if that is safe."""

from __future__ import annotations

from typing import Any

from . import commands, content, replies
from .commands import Command, Failure, Step
from .endpoint_state import EndpointState
from .entry import REJECTED
from .events import Incoming
from .own_entries import OwnEntries
from .reasons import ReasonCode, reason
from .redis_errors import FOR_GOOD, GROUP_LOST, NO_MEMORY, NO_WRITES, OUTAGE, PERMANENT, UNKNOWN, class_of
from .states import advance

_MOST_ATTEMPTS = 3
"""An answer is given up after it broke the connection, or got an unknown error, so many times (RIPC-RESP-25)."""

_REPLACEMENT = b'"not_encodable: '
"""How a rejection begins that replaces an answer which could not be written."""


class Answers:
    """An answer's way from the handler, or from the responder itself, to Redis' last reply."""

    def __init__(self, shared: EndpointState) -> None:
        self.shared = shared
        self.own_entries: OwnEntries
        shared.outbox.make_answers = self._step

    def add(self, incoming: Incoming, status: bytes, text: bytes, now: float) -> None:
        """To be written with the next batch; its state is ``answering`` already."""
        incoming.answer = (status, text, now)
        self.shared.outbox.answers.append(incoming)

    def _step(self, items: list[Incoming]) -> Step:
        shared = self.shared
        sent = [incoming for incoming in items if incoming.state == "answering" and incoming.answer is not None]
        if not sent:
            return Step([], lambda _replies, _now: None)
        ids = [incoming.entry_id for incoming in sent]
        names = shared.names
        lines, size, to_others = self._responses(sent)
        singly, own = shared.singly, self.own_entries
        wrapped: list[Command] | None = None
        if not singly:
            # RIPC-RESP-4 to 6
            lines.append(commands.acknowledge(names.stream, names.group, ids))
            lines.append(commands.delete(names.stream, ids))
            # The response to a member of its own group is for that member.
            wrapped = own.wrap(lines, len(sent), size, shared.now) if to_others else None
            lines = wrapped or commands.atomic(lines)

        def done(answers: list[Any], now: float) -> None:
            if wrapped is None:
                settle(answers, now)
                return
            taken = own.take(answers)
            if taken is not None:
                settle(taken, now)
            else:
                for incoming in sent:
                    advance(incoming, "not answered")
                    self._again(incoming)
            own.received(now)

        def settle(answers: list[Any], now: float) -> None:
            if singly:
                self._written_singly(sent, answers, now)
            elif isinstance(answers[0], Failure) and class_of(answers[0]) in FOR_GOOD:
                # RIPC-RESP-26: without MULTI, Redis executed the commands one by one. From now on they are sent so.
                shared.multi_refused()
                for incoming in sent:
                    incoming.stranded = True
                self._written_singly(sent, answers[1:], now)
            elif (failure := replies.first_failure(answers)) is not None:
                if isinstance(answers[-1], list):
                    self._executed(sent, answers[-1], now)
                else:
                    self._refused(sent, failure, now)
            else:
                self._written(sent, answers[-1], now)

        return Step(lines, done, lambda was_sent, _now: self._lost(sent, was_sent))

    def _responses(self, sent: list[Incoming]) -> tuple[list[Command], int, bool]:
        """A command for each of them, the bytes of their contents, and whether all are for other groups."""
        stream, group = self.shared.names.stream, self.shared.names.group
        lines: list[Command] = []
        size, to_others = 0, True
        for incoming in sent:
            assert incoming.answer is not None
            status, text, _ = incoming.answer
            size += len(text)
            to_others = to_others and incoming.source_group != group
            # RIPC-ENTRY-7 to 9
            instance, to = incoming.instance_id, incoming.source_group
            lines.append(commands.add_entry(stream, incoming.id, instance, status, text, group, to))
        return lines, size, to_others

    def _written(self, sent: list[Incoming], answers: list[Any], now: float) -> None:
        shared = self.shared
        shared.answers_refused = False
        shared.pauses.granted("answers")
        shared.taken()
        for incoming, result in zip(sent, answers, strict=False):
            if result is None:
                self._strand(incoming)
            else:
                shared.gone(incoming, "answered")
                if incoming.answer is not None and incoming.answer[0] == REJECTED:
                    shared.counts.rejected += 1
                else:
                    shared.counts.fulfilled += 1
                shared.highest = result

    def _executed(self, sent: list[Incoming], results: list[Any], now: float) -> None:
        """EXEC ran, so an error in it is about its own command alone: the other answers are written (section 7)."""
        settled = not any(isinstance(result, Failure) for result in results[len(sent) :])
        for incoming, result in zip(sent, results, strict=False):
            if isinstance(result, Failure):
                incoming.stranded = incoming.stranded or settled
                self._refused([incoming], result, now)
            else:
                self._written([incoming], [result], now)

    def _written_singly(self, sent: list[Incoming], answers: list[Any], now: float) -> None:
        """The request is settled after its response was stored (RIPC-RESP-26)."""
        for incoming, result in zip(sent, answers, strict=False):
            if isinstance(result, Failure):
                self._refused([incoming], result, now)
            else:
                self._written([incoming], [result], now)
                if result is not None:
                    self.shared.outbox.clean(incoming.entry_id, incoming.entry_id, now)

    def _lost(self, sent: list[Incoming], was_sent: bool) -> None:
        for incoming in sent:
            if was_sent:
                incoming.attempts += 1
                advance(incoming, "unknown")
            else:
                self._again(incoming)

    def _again(self, incoming: Incoming) -> None:
        """Write it, perhaps again. An answer that may have broken the connection is sent alone (RIPC-RESP-25)."""
        (self.shared.outbox.alone if incoming.attempts else self.shared.outbox.answers).append(incoming)

    def lost(self, incoming: Incoming) -> None:
        """The answer was sent, and no reply will tell whether Redis stored it."""
        advance(incoming, "unknown")

    def _strand(self, incoming: Incoming) -> None:
        """The stream is gone with the request. Its requester may still wait, so the answer goes to the new stream."""
        incoming.stranded = True
        advance(incoming, "not answered")
        self.shared.outbox.answers.append(incoming)
        self.shared.fail(Failure("NOGROUP", "NOGROUP the stream is gone"))

    def _refused(self, sent: list[Incoming], failure: Failure, now: float) -> None:
        shared = self.shared
        kind = class_of(failure)
        for incoming in sent:
            assert incoming.answer is not None
            if kind in (OUTAGE, GROUP_LOST) or (
                kind in (NO_MEMORY, NO_WRITES, PERMANENT) and self._patient(incoming, now)
            ):
                advance(incoming, "not answered")
                self._again(incoming)
            elif kind is UNKNOWN:
                advance(incoming, "not answered")
                incoming.attempts += 1
                self._attempted(incoming, f"was refused {incoming.attempts} times: {failure.message}", now)
            else:
                self._drop(incoming, f"an answer could not be written: {failure.message}", now)
        shared.fail(failure)
        if kind is PERMANENT:
            shared.pauses.forbidden("answers", failure, now)
        elif kind in (NO_MEMORY, NO_WRITES):
            shared.answers_refused = True

    def _patient(self, incoming: Incoming, now: float) -> bool:
        """RIPC-RESP-15"""
        assert incoming.answer is not None
        return now - incoming.answer[2] < self.shared.settings.answer_kept

    def _drop(self, incoming: Incoming, message: str, now: float) -> None:
        """The request was run, so no instance may run it again."""
        self.shared.problem("answer", message, incoming.entry_id)
        self.shared.gone(incoming)
        self.shared.outbox.clean(incoming.entry_id, incoming.entry_id, now)

    def drop_refused(self, now: float) -> None:
        """The endpoint leaves while Redis refuses these answers (RIPC-RESP-15)."""
        self.shared.outbox.answers.clear()
        self.shared.outbox.alone.clear()
        for incoming in list(self.shared.inflight.values()):
            if incoming.state == "answering":
                self._drop(incoming, "an answer could not be written before the endpoint closed", now)

    @property
    def refused(self) -> bool:
        """Whether answers that Redis refused still wait for an attempt, or for its reply (RIPC-RESP-16)."""
        return self.shared.answers_refused and any(i.state == "answering" for i in self.shared.inflight.values())

    def not_written(self, incoming: Incoming, now: float) -> None:
        """A look showed that the answered request still exists and is ours: write the answer again (RIPC-RESP-14)."""
        advance(incoming, "still pending")
        self._attempted(incoming, f"broke the connection {incoming.attempts} times", now)

    def _attempted(self, incoming: Incoming, why: str, now: float) -> None:
        """Not written, perhaps because of the answer itself: write it again, or a rejection instead (RIPC-RESP-25)."""
        if incoming.attempts < _MOST_ATTEMPTS:
            self._again(incoming)
        elif (
            incoming.answer is not None
            and incoming.answer[0] == REJECTED
            and incoming.answer[1].startswith(_REPLACEMENT)
        ):
            self._drop(incoming, f"the rejection in place of an answer {why}", now)
        else:
            incoming.attempts = 0
            message = f"an answer {why}"
            self.shared.problem(ReasonCode.NOT_ENCODABLE.value, message, incoming.entry_id)
            self.add(incoming, REJECTED, content.encode(reason(ReasonCode.NOT_ENCODABLE, message)), now)
