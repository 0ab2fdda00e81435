"""Writing the answers of a responder (section 9)."""

from __future__ import annotations

import asyncio
from typing import Any

from . import pauses
from .mutation import mutant
from .ports import EndpointPort, ResponderPort
from .redis_errors import PERMANENT, REFUSAL, is_unknown
from .request import Request
from .resp import Command, Lost, RedisError
from .wire import FULFILLED, REJECTED, add, new_id

_ANSWER_KEPT = 60.0
_MOST_ATTEMPTS = 3
_REPLACEMENT = (b'"not_encodable: ', b'"unwritable: ')


class Answers:
    def __init__(self, endpoint: EndpointPort, responder: ResponderPort) -> None:
        self.responder = responder
        self.endpoint = endpoint
        self._alone = asyncio.Lock()
        """Held while an answer is written that broke a connection before (RIPC-RESP-25)."""
        self._ended = False
        """Whether a request was settled without a response."""

    async def write(self, request: Request, once: bool = False) -> None:
        """Until it is written, or unknown, or was refused for too long. ``once``: the endpoint leaves."""
        endpoint = self.endpoint
        begun = asyncio.get_running_loop().time()
        short, long = pauses.refused(), pauses.permanent()
        if mutant("drops-slow-answers") and begun - request.received > 5.0:
            self.responder.gone(request)
            endpoint.settle(request.entry_id, request.entry_id)
            return
        if mutant("answers-in-order"):
            await self._all_before(request)
        while request.state == "answering":
            await endpoint.up.wait()
            if request.state != "answering":
                break  # the recovery found that it is another's, or gone
            if mutant("gone-request-left-pending") and not await endpoint.claims.body(request.entry_id):
                self.responder.gone(request)
                return
            try:
                refused = await self._in_turn(request)
            except Lost as lost:
                if lost.sent:
                    self._unsure(request)
                    return
                await asyncio.sleep(0.02)
                continue
            if refused is None:
                self.responder.gone(request)
                self.responder.changed.set()
                return
            if is_unknown(refused) and not mutant("keeps-answers-of-unknown-errors"):
                request.attempts += 1
                self._again(request)
                return
            request.refused = refused.kind in REFUSAL
            kept = 25.0 if mutant("answers-are-kept-for-25-s") else _ANSWER_KEPT
            patience = 0.0 if once or mutant("drops-refused-answers") else kept
            if mutant("runs-again-when-refused") and request.refused:
                self.responder.held.pop(request.entry_id, None)
                self.responder.take(request.entry)
                return
            if asyncio.get_running_loop().time() - begun > patience:
                endpoint.report("answer", f"not written: {refused}", {})
                self.responder.gone(request)
                endpoint.settle(request.entry_id, request.entry_id)
                return
            if mutant("repeats-refused-writes-at-once"):
                await asyncio.sleep(0.02)
            else:
                await (long if refused.kind in PERMANENT else short).wait()

    async def _in_turn(self, request: Request) -> RedisError | None:
        """Beside others, or alone where its write broke the connection before."""
        async with self._alone:
            if request.attempts:
                await self.endpoint.up.wait()
                return await self._put(request)
        return await self._put(request)

    def _unsure(self, request: Request) -> None:
        """The connection broke before the reply: whether it was written is looked for after the reconnect."""
        request.attempts += 1
        if mutant("repeats-a-lost-answer"):
            self.endpoint.spawn(self.write(request))
            return
        request.state = "unsure"
        if mutant("gives-up-a-lost-answer"):
            self.responder.gone(request)

    async def _put(self, request: Request) -> RedisError | None:
        """None when written, else why not."""
        names, id = self.endpoint.names, request.entry_id
        lines: list[Command] = [
            self._response(request),
            ("XACK", names.stream, names.group, id),
            ("XDEL", names.stream, id),
        ]
        if mutant("answered-not-deleted"):
            lines.pop(2)
        if mutant("answered-not-acknowledged"):
            lines.pop(1)
        if mutant("answers-twice"):
            lines.insert(1, lines[0])
        if mutant("deletes-before-answering"):
            await self.endpoint.write(lines.pop(1), lines.pop(1))
        if mutant("acknowledges-first-in-the-multi"):
            lines = [lines[1], lines[2], lines[0]]
        if mutant("answers-outside-a-multi"):
            replies: Any = await self.endpoint.write(*lines)
            replies = next((reply for reply in replies if isinstance(reply, RedisError)), replies)
        else:
            replies = await self.endpoint.transaction(*lines)
        if isinstance(replies, RedisError):
            return replies
        if replies and replies[0] is None and not mutant("nil-for-written"):
            self._strand(request)
            return RedisError("NOGROUP The stream of the answer is gone")
        if any(isinstance(reply, RedisError) for reply in replies[:1]):
            return self._executed(request, replies)
        return None

    def _executed(self, request: Request, replies: list[Any]) -> RedisError | None:
        """EXEC ran, so the error is about XADD alone. The answer is kept without its request."""
        if mutant("executed-means-written"):
            return None
        if not any(isinstance(reply, RedisError) for reply in replies[1:]):
            self._release(request)
        error: RedisError = replies[0]
        return error

    def _strand(self, request: Request) -> None:
        """Redis answered nil to XADD alone: the request is settled, so nothing that becomes of it stops the answer."""
        self._release(request)
        self.endpoint.group_gone()

    def _release(self, request: Request) -> None:
        if self.responder.held.get(request.entry_id) is request:
            del self.responder.held[request.entry_id]

    def _response(self, request: Request) -> Command:
        assert request.answer is not None
        names, entry = self.endpoint.names, request.entry
        status, text = request.answer
        if mutant("answers-success"):
            status = {FULFILLED: b"success"}.get(status, b"error")
        if mutant("answers-in-capitals"):
            status = status.capitalize()
        id = new_id(b"") if mutant("response-with-a-fresh-id") else entry.id
        if mutant("response-id-in-lower-case"):
            id = id.lower()
        instance = names.instance if mutant("response-of-the-own-instance") else entry.instance
        source, destination = names.group, entry.source
        if mutant("response-groups-not-exchanged"):
            source, destination = destination, source
        return add(names.stream, "response", (id, instance, status, text, source, destination))

    async def _all_before(self, request: Request) -> None:
        """Only for mutants: answers leave in the order of the requests."""
        while any(other < request.entry_id for other in self.responder.held):
            self.responder.changed.clear()
            await self.responder.changed.wait()

    async def decide_unsure(self) -> None:
        """Answers whose reply got lost: written again only where the request is still this instance's (RIPC-RESP-14)."""
        unsure = [request for request in self.responder.held.values() if request.state == "unsure"]
        for request, _ in await self.endpoint.keeping.look(unsure):
            for mine in unsure:
                if mine is request:
                    self._again(mine)

    def _again(self, request: Request) -> None:
        if request.attempts >= _MOST_ATTEMPTS and not mutant("poisoned-answers-for-ever"):
            # It breaks the connection, or is refused, each time: it is no answer that can be written (RIPC-RESP-25).
            reason = f"its answer could not be written {request.attempts} times"
            self.endpoint.report("answer", f"given up: {reason}", {})
            replaced = request.answer is not None and request.answer[1].startswith(_REPLACEMENT)
            ends = (
                replaced and not mutant("rejections-for-ever") and not (mutant("gives-up-one-request") and self._ended)
            )
            if ends or mutant("poisoned-answers-dropped"):
                self._ended = True
                self.responder.gone(request)
                self.endpoint.settle(request.entry_id, request.entry_id)
                return
            request.attempts = 0
            text = _REPLACEMENT[mutant("reasons-without-their-word")] + f'{reason}"'.encode()
            request.answer = (REJECTED, text.strip(b'"') if mutant("reasons-in-plain-text") else text)
        request.state = "answering"
        self.endpoint.spawn(self.write(request))
