"""A conversation that continues after a line that breaks the protocol: ``check-testee`` reports every error, not only the first."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from .jsonrpc import Conversation
from .schemas import Answer, MessageBroken, Notification, Refusal, TesteeSchemas


class LenientConversation(Conversation):
    """``strays`` keeps the answers that no call waits for, ``noise`` each line that is not a message."""

    def __init__(self, schemas: TesteeSchemas) -> None:
        super().__init__(schemas, self._notified)
        self.noise: list[str] = []
        self.strays: list[str] = []
        self.notifications: list[Notification] = []
        self.news = asyncio.Event()
        """Set at each notification."""

    def line(self, raw: bytes) -> None:
        """Handles one line. A broken answer fails its call; a broken line without a call is noise."""
        try:
            self._take(self._schemas.line(raw))
        except MessageBroken as error:
            call = self.outstanding.get(_id(raw))
            if call is None:
                self.noise.append(str(error))
            elif not call.answer.done():
                call.answer.set_exception(error)

    def _astray(self, message: Answer | Refusal) -> None:
        self.strays.append(f"an answer with the id {message.id!r}, which no outstanding call has")

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        self.notifications.append(Notification(method, params))
        self.news.set()


def _id(raw: bytes) -> Any:
    """The id that a broken line has, if any."""
    try:
        id = json.loads(raw)["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return id if isinstance(id, int) else None
