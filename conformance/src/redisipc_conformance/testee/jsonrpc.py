"""One side of JSON-RPC 2.0 over lines: calls with ids out, answers and notifications in, each checked against its schema."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import jsontext
from .errors import TesteeBroke, TesteeRefused
from .schemas import Answer, MessageBroken, Notification, Refusal, TesteeSchemas


@dataclass
class Outstanding:
    """A call that is not answered yet."""

    method: str
    params: dict[str, Any]
    answer: asyncio.Future[dict[str, Any]]

    def __str__(self) -> str:
        name = self.params.get("endpoint") or self.params.get("request")
        return f"{self.method}({name})" if name else self.method


class Conversation:
    """The calls of one process, independent of processes and pipes."""

    def __init__(self, schemas: TesteeSchemas, on_notification: Callable[[str, dict[str, Any]], None]) -> None:
        self._schemas = schemas
        self._on_notification = on_notification
        self._ids = itertools.count(1)
        self._forgotten: set[int] = set()
        """Calls that nobody waits for any longer: their answers may still come."""
        self.outstanding: dict[int, Outstanding] = {}
        self.broken: TesteeBroke | None = None
        """The first message that broke the protocol. Everything after it is ignored."""

    @property
    def busy(self) -> bool:
        """Whether a call is in progress, even one whose caller no longer waits."""
        return bool(self.outstanding or self._forgotten)

    def begin(
        self, method: str, params: dict[str, Any], *, checked: bool = True
    ) -> tuple[bytes, asyncio.Future[dict[str, Any]]]:
        """The line to send and the future of its answer. ``checked`` False: the parameters are wrong on purpose."""
        if self.broken is not None:
            raise self.broken
        if checked:
            self._schemas.check_call(method, params)
        id = next(self._ids)
        message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.outstanding[id] = Outstanding(method, params, future)
        future.add_done_callback(lambda done: self._ended(id, done))
        return jsontext.dumps(message).encode() + b"\n", future

    def _ended(self, id: int, done: asyncio.Future[dict[str, Any]]) -> None:
        if self.outstanding.pop(id, None) is not None and done.cancelled():
            self._forgotten.add(id)

    def line(self, raw: bytes) -> None:
        """Handles one line of the testee."""
        if self.broken is not None or not raw.strip():
            return
        try:
            self._take(self._schemas.line(raw))
        except MessageBroken as error:
            self._break(error)

    def _take(self, message: Answer | Refusal | Notification) -> None:
        if isinstance(message, Notification):
            self._on_notification(message.method, message.params)
            return
        call = self.outstanding.get(message.id) if message.id is not None else None
        if call is None and message.id in self._forgotten:
            self._forgotten.discard(message.id or 0)
            return
        if call is None:
            self._astray(message)
            return
        if isinstance(message, Answer) and call.method in self._schemas.methods:  # else the call was wrong on purpose
            self._schemas.check_answer(call.method, message.result)
        del self.outstanding[message.id or 0]  # removed at once: a second answer may be in the same read
        if call.answer.done():
            return
        if isinstance(message, Refusal):
            call.answer.set_exception(TesteeRefused(message.code, message.message, message.data))
        else:
            call.answer.set_result(message.result)

    def _astray(self, message: Answer | Refusal) -> None:
        """An answer that no call waits for."""
        raise MessageBroken("answer", "$.id", f"is {message.id!r}", "the id of a call that is not answered yet")

    def _break(self, error: MessageBroken) -> None:
        self.broken = TesteeBroke(str(error))
        self.fail(self.broken)

    def fail(self, error: Exception) -> None:
        """Every outstanding call ends with this."""
        for call in list(self.outstanding.values()):
            if not call.answer.done():
                call.answer.set_exception(error)
                call.answer.exception()
