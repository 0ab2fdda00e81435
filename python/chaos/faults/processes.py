"""Faults of processes: they are killed, stopped, restarted, or the machine is busy."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from redisipc_conformance.server import die_with_parent

from ..lab.members import Member
from .base import Fault, NotNow

EVERYWHERE = ("plain", "pair", "sentinel", "cluster", "tls", "clock", "disk")


class Killed(Fault):
    """SIGKILL; after a while another process replaces the one that was killed."""

    struck_at = "members"
    sites = EVERYWHERE
    ends = True
    groups: ClassVar[tuple[str, ...]]
    seconds = (0.2, 3.0)
    quiet = 16.0
    aim = 1.5

    async def prepare(self) -> None:
        await super().prepare()
        if len(self.lab.free("stock")) < 2 and "stock" in self.groups:
            raise NotNow("nobody would be left to answer")
        self.members = [self.choose(*self.groups)]

    async def strike(self) -> None:
        for member in self.members:
            self.lab.rows("killed", member.process)
            await member.kill()

    async def proof(self) -> str:
        codes = [member.code for member in self.members]
        return f"exit status {codes[0]}" if all(code == -signal.SIGKILL for code in codes) else ""

    async def mend(self) -> None:
        for member in self.members:
            if not member.alive:
                await self.lab.bring(member)
        for member in self.members:
            await member.joined(30.0)


class ResponderKilled(Killed):
    name = "responder-killed"
    what = "A member of the group that answers is killed, and another one comes."
    groups = ("stock",)


class RequesterKilled(Killed):
    name = "requester-killed"
    what = "A member of a group that asks is killed, and another one comes."
    groups = ("web", "audit")
    quiet = 3.0


class AllRespondersKilled(Killed):
    name = "all-responders-killed"
    what = "All members of the group that answers are killed at once."
    groups = ("stock",)

    async def prepare(self) -> None:
        await super().prepare()
        self.members = self.lab.free("stock")


class Stopped(Fault):
    """SIGSTOP, and SIGCONT later."""

    struck_at = "members"
    sites = EVERYWHERE
    to_members = "paused"
    after = 0.3

    async def prepare(self) -> None:
        await super().prepare()
        self.members = [self.choose()]

    async def strike(self) -> None:
        for member in self.members:
            member.send(signal.SIGSTOP)

    async def proof(self) -> str:
        return "state T" if all(state(member) == "T" for member in self.members) else ""

    async def mend(self) -> None:
        for member in self.members:
            member.send(signal.SIGCONT)


class StoppedShort(Stopped):
    name = "member-stopped"
    what = "A member is stopped for 3 s (SIGSTOP)."
    seconds = (2.5, 3.5)


class StoppedLong(Stopped):
    name = "member-stopped-long"
    what = "A member is stopped for 11 to 15 s (SIGSTOP), longer than the reclaim time."
    seconds = (11.0, 15.0)
    quiet = 5.0


def state(member: Member) -> str:
    """The state of its process in the words of the system: ``T`` means stopped."""
    try:
        return Path(f"/proc/{member.pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


class Restarted(Fault):
    name = "member-restarted"
    what = "A rolling restart: a member leaves on SIGTERM, and another one comes."
    struck_at = "members"
    sites = EVERYWHERE
    ends = True
    quiet = 1.0
    _left: float | None = None

    async def prepare(self) -> None:
        await super().prepare()
        self.members = [self.choose()]

    async def strike(self) -> None:
        member = self.members[0]
        self._left = await member.leave()
        if self._left is None:
            self.lab.rows("hung", member.process)

    async def proof(self) -> str:
        code = self.members[0].code
        return f"left with exit status {code}" if code is not None else ""

    async def mend(self) -> None:
        member = self.members[0]
        if not member.alive:
            await self.lab.bring(member)
        await member.joined(30.0)


class BusyMachine(Fault):
    name = "busy-machine"
    what = "Three processes keep all processors busy for 8 s."
    seconds = (7.0, 9.0)
    aim = 2.0

    async def strike(self) -> None:
        command = [sys.executable, "-c", "while True: pass"]
        self._hogs = [subprocess.Popen(command, preexec_fn=die_with_parent) for _ in range(3)]

    async def proof(self) -> str:
        return f"{sum(hog.poll() is None for hog in self._hogs)} processes at work"

    async def mend(self) -> None:
        for hog in self._hogs:
            hog.kill()
            hog.wait()
