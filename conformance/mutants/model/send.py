"""A request that was sent, and its outcome (section 8)."""

from __future__ import annotations

import asyncio
from typing import Any


class Send:
    """A request sent. ``outcome`` is ``(kind, content)`` once it is there."""

    def __init__(self, id: bytes, to: bytes, text: bytes) -> None:
        self.id, self.to, self.text = id, to, text
        self.outcome: asyncio.Future[tuple[str, Any]] = asyncio.get_running_loop().create_future()
        self.entry_id: bytes | None = None
        self.begun = asyncio.get_running_loop().time()
        self.floor = b"-"
        self.unsure = False
        self.absent = False
        """Whether a look went through all that may be the request, and did not find it."""

    def end(self, kind: str, value: Any = None) -> None:
        if not self.outcome.done():
            self.outcome.set_result((kind, value))
