"""The members of the groups: processes that are started, killed, stopped and started again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from redisipc_conformance.server import die_with_parent
from redisipc_conformance.wire.tap import Tap

PYTHON = Path(__file__).parents[2]
ROOT = PYTHON.parent
NODE_PORT = ROOT / "interop" / "node" / "dist" / "index.js"
LEAVE = 14.0
"""A member must end within so many seconds after SIGTERM: its close timeout, and the time that the library adds."""


def commands() -> dict[str, list[str]]:
    """The command that starts a member, for each runtime that this machine has."""
    found = {
        "threads": [sys.executable, "-m", "chaos.workers.threads"],
        "asyncio": [sys.executable, "-m", "chaos.workers.aio"],
    }
    workers = Path(__file__).parents[1] / "workers"
    node = shutil.which("node")
    if node and NODE_PORT.is_file():
        found["node"] = [node, str(workers / "node.mjs"), str(NODE_PORT)]
    ruby = shlex.split(os.environ.get("RUBY", "ruby"))
    if shutil.which(ruby[0]) and _has_gem(ruby):
        found["gem"] = [*ruby, str(workers / "gem.rb")]
    return found


def _has_gem(ruby: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            [*ruby, "-e", 'require "logger"; require "redis_ipc"'], capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@dataclass(eq=False)
class Member:
    """A place in a group. Each process that takes it has a number of its own."""

    name: str
    group: str
    runtime: str
    command: list[str]
    config: dict[str, Any]
    folder: Path
    random: random.Random
    ended: Callable[[int, int], None]
    """Called for each process that ended, with its number and its exit status."""
    tap: Tap | None = None
    process: int = -1
    busy: bool = False
    """Whether a fault uses this member, so that no other fault does."""
    up: asyncio.Event = field(default_factory=asyncio.Event)
    _child: asyncio.subprocess.Process | None = None
    _hearing: asyncio.Task[None] | None = None

    async def start(self, process: int) -> None:
        """Starts a new process in this place."""
        self.process = process
        self.up = asyncio.Event()
        config = {
            **self.config,
            "process": process,
            "group": self.group,
            "history": str(self.folder / f"process-{process:03d}.jsonl"),
            "seed": self.random.randrange(1 << 30),
        }
        with (self.folder / f"process-{process:03d}.stderr").open("wb") as errors:
            self._child = await asyncio.create_subprocess_exec(
                *self.command,
                json.dumps(config),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                cwd=PYTHON,
                preexec_fn=die_with_parent,
            )
        self._hearing = asyncio.create_task(self._hear(self._child, self.up, process))

    async def _hear(self, child: asyncio.subprocess.Process, up: asyncio.Event, process: int) -> None:
        assert child.stdout is not None
        while line := await child.stdout.readline():
            if line.strip() == b"up":
                up.set()
        self.ended(process, await child.wait())

    async def joined(self, seconds: float) -> bool:
        """Waits until it is connected. Returns whether that was within so many seconds."""
        try:
            await asyncio.wait_for(self.up.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        return True

    def last_words(self) -> str:
        """The last part of the stderr of its process."""
        path = self.folder / f"process-{self.process:03d}.stderr"
        return path.read_text(errors="replace")[-500:].strip() or "it wrote nothing to stderr"

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.returncode is None

    @property
    def pid(self) -> int:
        """The id of the process; 0 before it has started."""
        return self._child.pid if self._child is not None else 0

    @property
    def code(self) -> int | None:
        """The exit status of the last process; None while it runs."""
        return None if self._child is None else self._child.returncode

    def send(self, number: signal.Signals) -> None:
        if self._child is not None and self.alive:
            self._child.send_signal(number)

    def tell(self, word: str) -> None:
        """Sends a command: ``quiet`` ends all requests, ``hush 3`` stops them for 3 s."""
        if self._child is not None and self._child.stdin is not None and self.alive:
            with contextlib.suppress(OSError):
                self._child.stdin.write(f"{word}\n".encode())

    async def gone(self, seconds: float) -> bool:
        """Waits until it has ended. Returns whether that was within so many seconds."""
        if self._child is None:
            return True
        try:
            await asyncio.wait_for(self._child.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        return True

    async def leave(self) -> float | None:
        """Sends SIGTERM. Returns the seconds until it had ended, or None if it was killed instead."""
        began = monotonic()
        self.send(signal.SIGTERM)
        if await self.gone(LEAVE):
            return monotonic() - began
        await self.kill()
        return None

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.gone(10.0)
