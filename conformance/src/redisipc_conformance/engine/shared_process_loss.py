"""The end of a process that several scenarios shared: which of them it was is found by running each again alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


class SharedProcessLoss:
    """One such end. `affected`: whoever used the process; `suspects` first: those whose call was outstanding."""

    def __init__(self, affected: Iterable[Any]) -> None:
        self._left = list(affected)
        self.suspect = self._left[0] if self._left else None
        """Who answers for it when it happens to nobody again."""
        self._again = False
        self._known = asyncio.Event()

    def tell(self, who: Any, *, again: bool) -> None:
        """How it went alone, or that it was not needed."""
        self._again = self._again or again
        if who in self._left:
            self._left.remove(who)
        if self._again or not self._left:
            self._known.set()

    async def answers_for(self, who: Any) -> bool:
        """Whether the end of the process is this one's verdict though it did not happen again. Waits until that is known."""
        await self._known.wait()
        return not self._again and who is self.suspect
