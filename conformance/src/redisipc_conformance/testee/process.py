"""One OS process of the implementation under test: started, spoken to, paused, killed, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..standing import members_of, wait_until_stopped
from ..within import patiently, within
from .errors import TesteeBroke, TesteeGone, TesteeRefused, TesteeUnusable
from .exits import exited
from .jsonrpc import Conversation
from .schemas import PROTOCOL, TesteeSchemas

__all__ = ["TesteeBroke", "TesteeGone", "TesteeProcess", "TesteeRefused", "TesteeUnusable"]

LONGEST_LINE = 256 * 1024 * 1024
"""Bytes. Content of 10 MiB, each character escaped, is less."""
KEPT_STDERR = 256 * 1024
"""Characters of stderr that are kept of one process: its end."""
LAST_LINES_SECONDS = 0.5
"""The time in which the last lines of a process that has ended are read, where its stdout is not closed."""
SHUTDOWN_SECONDS = 2.0
"""The time for a process to end by itself, given twice: after the call, and after the end of its stdin."""
DELAY_CALLS = 5
DELAY_SECONDS = 2.0
"""Seconds for each of the calls by which the delay of a testee is measured."""


class TesteeProcess:
    """One OS process that speaks the testee protocol."""

    def __init__(self, command: Sequence[str], process: asyncio.subprocess.Process, conversation: Conversation) -> None:
        self.command = tuple(command)
        self.hello: dict[str, Any] = {}
        self.stderr = ""
        self.stderr_size = 0
        """Characters that it has ever written to stderr; `stderr` keeps the last of them."""
        self.gone: TesteeGone | None = None
        """Set when it has ended, or has closed its stdout."""
        self.on_gone: Callable[[], None] = lambda: None
        """Called when it has ended, or has sent something that breaks the protocol."""
        self.farewell = ""
        """How its own end, after shutdown, was wrong: `signal 11`, `exit status 3`."""
        self.lingered = False
        """It had nothing left to do, and ran on after shutdown until it was killed."""
        self._process = process
        self._conversation = conversation
        self._paused = self._killed = False
        self._told_broken = False
        self._readers = [asyncio.create_task(self._read_stdout()), asyncio.create_task(self._read_stderr())]
        self._watcher = asyncio.create_task(self._watch())
        self._writing = asyncio.Lock()

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        on_notification: Callable[[str, dict[str, Any]], None],
        schemas: TesteeSchemas,
        seconds: float,
        environment: dict[str, str] | None = None,
        excused: Callable[[int, float], float] = lambda pid, began: 0.0,
    ) -> TesteeProcess:
        """Starts it and says hello, within `seconds` and those that are `excused` of this process since it began. Raises
        TesteeUnusable; no process is left then."""
        began = time.monotonic()
        testee = await cls.spawn(command, Conversation(schemas, on_notification), environment)
        try:
            answer = await testee.begin("hello", {"protocol": PROTOCOL})
            testee.hello = await patiently(answer, seconds, lambda: excused(testee.pid, began))
        except (TesteeRefused, TesteeGone, TesteeBroke, TimeoutError) as error:
            told = f"no answer within {seconds:g} s" if isinstance(error, TimeoutError) else error
            testee.kill()
            await testee.close()
            tail = testee.stderr.strip().splitlines()[-5:]
            more = "\nIts stderr ends with:\n  " + "\n  ".join(tail) if tail else ""
            raise TesteeUnusable(f"{shlex.join(command)} gave no valid hello: {told}{more}") from error
        except BaseException:
            testee.kill()
            await testee.close()
            raise
        return testee

    @classmethod
    async def spawn(
        cls, command: Sequence[str], conversation: Conversation, environment: dict[str, str] | None = None
    ) -> TesteeProcess:
        """Starts it, and says nothing yet. Raises TesteeUnusable if there is no such program."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LONGEST_LINE,
                start_new_session=True,
                env=environment,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        except OSError as error:
            raise TesteeUnusable(f"{shlex.join(command)} cannot be started: {error.strerror or error}") from error
        return cls(command, process, conversation)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def outstanding(self) -> list[str]:
        """The calls that are not answered yet: `connect(a)`."""
        return [str(call) for call in self._conversation.outstanding.values()]

    @property
    def broken(self) -> TesteeBroke | None:
        """The message that broke the protocol, if one did."""
        return self._conversation.broken

    async def call(self, method: str, params: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The result. Raises TesteeRefused for a JSON-RPC error, TesteeGone when it died, TesteeBroke for a message
        that breaks the schema, TimeoutError after `seconds` (the call is then forgotten)."""
        return await self.wait(await self.begin(method, params), method, seconds)

    async def delay(self) -> float:
        """The seconds that it takes to answer anything: the shortest of some calls, so that a busy moment adds nothing."""
        shortest = 0.0
        for _ in range(DELAY_CALLS):
            began = time.monotonic()
            try:
                await self.call("hello", {"protocol": PROTOCOL}, DELAY_SECONDS)
            except (TesteeRefused, TesteeGone, TesteeBroke, TimeoutError):
                return 0.0
            took = time.monotonic() - began
            shortest = min(shortest or took, took)
        return shortest

    async def begin(
        self, method: str, params: dict[str, Any], *, checked: bool = True
    ) -> asyncio.Future[dict[str, Any]]:
        """Sends the call and gives the future of its answer. ``checked`` False: its parameters are wrong on purpose."""
        if self.gone is not None or self._killed:
            raise TesteeGone("it was killed" if self.gone is None else self.gone.how, method)
        line, future = self._conversation.begin(method, params, checked=checked)
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(line)
            if len(line) > 65536:
                async with self._writing:
                    await stdin.drain()
        except (OSError, RuntimeError):
            await self._ended()
        return future

    async def wait(self, future: asyncio.Future[dict[str, Any]], method: str, seconds: float) -> dict[str, Any]:
        """The result of a call that was begun. Raises as `call` does."""
        try:
            return await within(future, seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{method} was not answered within {seconds:g} s") from error

    def kill(self) -> None:
        """SIGKILL, its children too."""
        self._killed = True
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP, its children too: when this returns nothing of it runs until `resume`."""
        self._paused = True
        self._signal(signal.SIGSTOP)
        wait_until_stopped(members_of(self._process.pid))

    def resume(self) -> None:
        self._paused = False
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        # The process leads a session of its own, so its id is that of the group; a group outlives its leader.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def end_of_input(self) -> None:
        """Closes its stdin."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative for a signal."""
        return self._process.returncode

    async def exited(self, seconds: float) -> int | None:
        """The exit status, or None if it still runs after `seconds`."""
        try:
            return await within(exited(self._process), seconds)
        except TimeoutError:
            return None

    async def ended(self) -> None:
        """Until it is gone."""
        await asyncio.gather(self._watcher, return_exceptions=True)

    async def close(self) -> None:
        """Shutdown, then the end of stdin, then SIGKILL. Nothing of it is left when this returns."""
        try:
            if self._paused:
                self.kill()
            told = self.gone is None and self.broken is None and bool(self.hello) and not self._paused
            idle = not self._conversation.busy
            if told:
                with contextlib.suppress(Exception):
                    await self.call("shutdown", {}, SHUTDOWN_SECONDS)
            self.end_of_input()
            code = await self.exited(SHUTDOWN_SECONDS)
            if told and not self._killed:
                self.farewell = "" if not code else f"signal {-code}" if code < 0 else f"exit status {code}"
                self.lingered = idle and code is None
        finally:
            self._signal(signal.SIGKILL)
            await exited(self._process)
            _, late = await asyncio.wait(self._readers, timeout=LAST_LINES_SECONDS)
            for reader in late:
                reader.cancel()
            await asyncio.gather(*self._readers, self._watcher, return_exceptions=True)
            transport: Any = getattr(self._process, "_transport", None)
            if transport is not None:
                transport.close()

    async def _watch(self) -> None:
        """Its end, also where something that it started holds its stdout open: what it wrote before is read first."""
        await exited(self._process)
        await asyncio.wait(self._readers[:1], timeout=LAST_LINES_SECONDS)
        await self._ended()

    async def _read_stdout(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        try:
            while line := await stdout.readline():
                self._conversation.line(line)
                if self._conversation.broken is not None and not self._told_broken:
                    self._told_broken = True
                    self.on_gone()
        except ValueError:
            self._conversation.line(b"(a line of more than %d bytes)" % LONGEST_LINE)
        except OSError:
            pass
        await self._ended()

    async def _ended(self) -> None:
        if self.gone is not None:
            return
        code = await self.exited(LAST_LINES_SECONDS)
        how = "it closed its stdout" if code is None else f"signal {-code}" if code < 0 else f"exit status {code}"
        counts = Counter(self.outstanding)
        calls = ", ".join(call if count == 1 else f"{call} {count:,} times" for call, count in counts.items())
        self.gone = TesteeGone(how, calls)
        self._conversation.fail(self.gone)
        self.on_gone()

    async def _read_stderr(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        with contextlib.suppress(OSError):
            while data := await stderr.read(65536):
                text = data.decode("utf-8", "replace")
                self.stderr_size += len(text)
                self.stderr = (self.stderr + text)[-KEPT_STDERR:]


def _die_with_parent() -> None:
    """Linux: it ends when the runner is killed, however that happens."""
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
