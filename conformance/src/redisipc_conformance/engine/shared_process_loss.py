"""The end of a process that several scenarios shared. Each of them runs again alone, to find the one that caused it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


class SharedProcessLoss:
    """One such end.

    `affected`: the scenarios that used the process; `suspects` first: those whose call was outstanding.
    """

    def __init__(self, affected: Iterable[Any]) -> None:
        self._left = list(affected)
        self.suspect = self._left[0] if self._left else None
        """The scenario that is blamed if it does not happen again."""
        self._again = False
        self._known = asyncio.Event()

    def tell(self, who: Any, *, again: bool) -> None:
        """Notes how its run alone ended, or that none was needed."""
        self._again = self._again or again
        if who in self._left:
            self._left.remove(who)
        if self._again or not self._left:
            self._known.set()

    async def answers_for(self, who: Any) -> bool:
        """Whether this scenario is blamed although the end did not happen again. Waits until that is known."""
        await self._known.wait()
        return not self._again and who is self.suspect
