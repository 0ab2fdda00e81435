"""The testee's processes: the shared ones of all scenarios, or those of one scenario alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ..context.processor_wait import waited_so_far
from ..testee.errors import TesteeUnusable
from ..testee.process import TesteeBroke, TesteeGone, TesteeProcess
from ..testee.schemas import TesteeSchemas
from .goodbyes import Goodbyes

Hear = Callable[[str, dict[str, Any]], None]


class Shard:
    """The processes for a part of the scenarios. With one process for all, they would queue for one interpreter."""

    def __init__(self, pool: Pool, number: int) -> None:
        self._pool = pool
        self._suffix = f"#{number}" if number else ""
        self.listen = pool.listen
        self.unlisten = pool.unlisten

    async def get(self, name: str) -> TesteeProcess:
        return await self._pool.get(name + self._suffix)

    def running(self, name: str) -> TesteeProcess | None:
        return self._pool.running(name + self._suffix)

    def expect_end(self, name: str) -> TesteeProcess | None:
        return self._pool.expect_end(name + self._suffix)


class Pool:
    """Processes by name. A dead, broken or hung one is replaced when its name is wanted again."""

    def __init__(self, command: Sequence[str], schemas: TesteeSchemas, seconds: float, goodbyes: Goodbyes) -> None:
        self.command = tuple(command)
        self._goodbyes = goodbyes
        self.on_contradiction: Callable[[TesteeUnusable], None] = lambda error: None
        """Called when a process claims something else than the first one did."""
        self.on_gone: Callable[[TesteeProcess, Exception], None] = lambda process, why: None
        """Called for an unexpected end."""
        self._schemas = schemas
        self._seconds = seconds
        self._by_name: dict[str, TesteeProcess] = {}
        self._starting: dict[str, asyncio.Lock] = {}
        self._all: set[TesteeProcess] = set()
        self._ending: set[TesteeProcess] = set()
        """Those that are given time to end by themselves."""
        self._expected: set[TesteeProcess] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._hear: dict[str, Hear] = {}

    async def get(self, name: str) -> TesteeProcess:
        """The process of that name. It is started if it does not run. Raises TesteeUnusable."""
        async with self._starting.setdefault(name, asyncio.Lock()):
            process = self._by_name.get(name)
            if process is not None and process.gone is None and process.broken is None:
                return process
            process = await TesteeProcess.start(
                self.command, on_notification=self._notified, schemas=self._schemas, seconds=self._seconds,
                environment=self._goodbyes.environment, excused=waited_so_far,
            )  # fmt: skip
            self._all.add(process)
            try:
                self._goodbyes.greeted(process.hello)
            except TesteeUnusable as error:
                self.on_contradiction(error)
                raise
            self._by_name[name] = process
            process.on_gone = lambda: self._ended(name, process)
            if process.gone is not None:
                self._ended(name, process)
            return process

    def running(self, name: str) -> TesteeProcess | None:
        return self._by_name.get(name)

    def listen(self, handle: str, hear: Hear) -> None:
        self._hear[handle] = hear

    def unlisten(self, handle: str) -> None:
        self._hear.pop(handle, None)

    def _notified(self, method: str, params: dict[str, Any]) -> None:
        hear = self._hear.get(params.get("endpoint", ""))
        if hear is not None:
            hear(method, params)

    def expect_end(self, name: str) -> TesteeProcess | None:
        """Its end will not count as a crash."""
        process = self._by_name.pop(name, None)
        if process is not None:
            self._expected.add(process)
        return process

    def retire(self, process: TesteeProcess) -> None:
        """It did not answer in time, so no further scenario gets it.

        It is ended after a moment, so that its present users notice first.
        """
        for name, each in list(self._by_name.items()):
            if each is process:
                del self._by_name[name]
        process.kill()

    def _ended(self, name: str, process: TesteeProcess) -> None:
        if self._by_name.get(name) is process:
            del self._by_name[name]
        if process not in self._expected:
            why: Exception = process.gone or process.broken or TesteeGone("it ended")
            self.on_gone(process, why)
        if isinstance(process.broken, TesteeBroke):
            process.kill()
        task = asyncio.get_running_loop().create_task(self._close(process))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, process: TesteeProcess) -> None:
        self._all.discard(process)
        await self._end(process)

    async def _end(self, process: TesteeProcess) -> None:
        self._ending.add(process)
        try:
            await process.close()
        finally:
            self._ending.discard(process)
        self._goodbyes.left(process)

    def abandon(self) -> None:
        """The run was interrupted. Kills all of them, those too that are ending, which wakes whatever waits for one."""
        self._expected |= self._all
        self._by_name.clear()
        for process in self._all | self._ending:
            process.kill()

    async def close(self) -> None:
        """Ends all of them."""
        processes, self._all = set(self._all), set()
        self._expected |= processes
        await asyncio.gather(*(self._end(process) for process in processes), *self._closing, return_exceptions=True)
