"""A process that should speak the testee protocol, without trust: for ``check-testee``, which must not stumble over anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ..within import take_note
from .errors import TesteeGone, TesteeRefused
from .lenient import LenientConversation
from .process import TesteeProcess
from .schemas import TesteeSchemas

_TAIL = 400
"""Characters of stderr that an error shows."""
Reply = dict[str, Any] | TesteeRefused
Replying = asyncio.Future[dict[str, Any]]


class Ended(Exception):
    """The process ended while something was expected of it. The text says how, and has the end of its stderr."""


class Silent(Exception):
    """No answer in time."""


class Candidate:
    """The suite's own client of the protocol, which tells a refusal from an answer and outlives what is broken."""

    def __init__(self, process: TesteeProcess, said: LenientConversation, scale: float) -> None:
        self.process = process
        self.said = said
        """Its notifications, the answers that no call waits for, and all else that it wrote."""
        self.scale = scale
        """The factor of all times, for a slow machine or a debugger."""

    @classmethod
    async def start(cls, command: Sequence[str], schemas: TesteeSchemas, scale: float = 1.0) -> Candidate:
        """Raises TesteeUnusable if there is no such program."""
        said = LenientConversation(schemas)
        return cls(await TesteeProcess.spawn(command, said), said, scale)

    async def call(self, method: str, params: dict[str, Any], seconds: float, *, checked: bool = True) -> Reply:
        """The answer, or the refusal as a value. Raises ``Ended``, ``Silent``, ``MessageBroken``.

        ``checked`` False: the parameters are wrong on purpose.
        """
        return await self.answer(await self.begin(method, params, checked=checked), method, seconds)

    async def begin(self, method: str, params: dict[str, Any], *, checked: bool = True) -> Replying:
        """Writes a call and does not wait."""
        try:
            future = await self.process.begin(method, params, checked=checked)
        except TesteeGone as gone:
            raise await self._ended(gone, method) from None
        # Not every call that is begun is waited for.
        future.add_done_callback(take_note)
        return future

    async def answer(self, future: Replying, method: str, seconds: float) -> Reply:
        """Waits for the answer of a call that was begun. After ``Silent`` it can be waited for again."""
        await asyncio.wait([future], timeout=seconds)
        if not future.done():
            raise Silent(f"{method} was not answered within {seconds:g} s")
        try:
            return future.result()
        except TesteeRefused as refused:
            return refused
        except TesteeGone as gone:
            raise await self._ended(gone, method) from None

    async def notified(self, method: str, that: Callable[[dict[str, Any]], bool], seconds: float) -> dict[str, Any]:
        """The parameters of the first such notification, now or to come. Raises ``Silent``."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            for notification in self.said.notifications:
                if notification.method == method and that(notification.params):
                    return notification.params
            self.said.news.clear()
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self.said.news.wait(), left)
            except asyncio.TimeoutError:
                raise Silent(f"no notification {method} came within {seconds:g} s") from None

    async def kill(self) -> None:
        """Ends it in any state, and reads its remaining output."""
        self.process.kill()
        await self.process.close()

    def last_words(self) -> str:
        """The end of its stderr, for an error's text."""
        text = self.process.stderr.strip()[-_TAIL:]
        return f"; its stderr ends with: {text}" if text else "; its stderr is empty"

    async def _ended(self, gone: TesteeGone, method: str) -> Ended:
        how = "closed its stdout" if self.process.exit_status is None else f"ended with {gone.how}"
        await self.kill()  # also reads the rest of its stderr
        return Ended(f"it {how} while {method} was outstanding{self.last_words()}")
