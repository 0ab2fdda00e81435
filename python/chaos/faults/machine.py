"""Certificates, the clock and the disk of the server."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import ClassVar, cast

from ..lab.redis import Away
from ..lab.special import Clock, Disk, Secure
from .base import Fault, NotNow
from .service import RestartOld

REWRITES = 100
"""How often the harness asks Redis to rewrite the append-only file."""


class TlsCut(Fault):
    name = "tls-cut"
    what = "All connections break, and new handshakes come at once, over TLS."
    sites = ("tls",)
    to_members = "cut off"
    after = 0.5
    hit = 0

    async def prepare(self) -> None:
        await super().prepare()
        self.members = self.lab.free()
        if not any(member.tap is not None and member.tap.links for member in self.members):
            raise NotNow("nobody is connected")

    async def strike(self) -> None:
        for member in self.members:
            assert member.tap is not None
            self.hit += member.tap.cut("reset")

    async def proof(self) -> str:
        return f"{self.hit} connections cut" if self.hit else ""


class CertificateExpired(Fault):
    name = "certificate-expired"
    what = "The server's certificate has expired and the connections end; 7 s later there is a valid one."
    sites = ("tls",)
    to_redis = "away"
    seconds = (6.0, 8.0)

    @property
    def secure(self) -> Secure:
        return cast(Secure, self.lab.site)

    async def strike(self) -> None:
        self.secure.use("expired")
        for member in self.lab.members:
            assert member.tap is not None
            member.tap.cut("reset")
        # Handshakes that had begun before still show the old certificate.
        await asyncio.sleep(0.3)
        self._begun, self._opened = self.secure.handshakes, self._connections()

    def _connections(self) -> int:
        """Node checks a certificate after the handshake, so the tap counts its handshakes as successful."""
        pythons = [member for member in self.lab.members if member.runtime != "node"]
        return sum(member.tap.opened for member in pythons if member.tap is not None)

    async def proof(self) -> str:
        # A member that checks the certificate cannot connect.
        begun = self.secure.handshakes - self._begun
        through = self._connections() - self._opened
        return f"{begun} handshakes were begun, {through} came through" if begun and not through else ""

    async def mend(self) -> None:
        self.secure.use("valid")


class ClockStep(Fault):
    sites = ("clock",)
    to_redis = "clock"
    quiet = 14.0
    steps: ClassVar[tuple[float, ...]]
    _text = ""

    async def strike(self) -> None:
        clock = cast(Clock, self.lab.site)
        step = self.random.choice(self.steps)
        before = await self._time()
        clock.set(clock.offset + step)
        seen = await self._time() - before
        if abs(seen - step) < 0.5:
            self._text = f"TIME stepped by {seen:.1f} s"

    async def _time(self) -> float:
        seconds, micros = await self.redis("TIME")
        return int(seconds) + int(micros) / 1e6

    async def proof(self) -> str:
        return self._text


class ClockForward(ClockStep):
    name = "clock-forward"
    what = "The server's clock steps forward: by 2, 8, 15 or 60 s, or an hour."
    steps = (2.0, 8.0, 15.0, 60.0, 3600.0)


class ClockBack(ClockStep):
    name = "clock-back"
    what = "The server's clock steps back: by 2, 15 or 60 s, or an hour."
    steps = (-2.0, -15.0, -60.0, -3600.0)


class DiskFull(Fault):
    """Redis cannot append to the file, so it refuses each write."""

    sites = ("disk",)
    to_redis = "no writes"
    quiet = 4.0

    async def strike(self) -> None:
        # Without a buffer, so that the disk is filled to its last byte.
        with contextlib.suppress(OSError), (self._folder / "filler").open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"0" * size):
                        pass

    @property
    def _folder(self) -> Path:
        return cast(Disk, self.lab.site).folder

    async def proof(self) -> str:
        seen = self.refused("MISCONF")
        status = (await self.redis.info("persistence")).get("aof_last_write_status", "").strip()
        return f"aof_last_write_status {status}, {seen}" if seen and status == "err" else ""

    async def mend(self) -> None:
        (self._folder / "filler").unlink(missing_ok=True)
        self.over = await self.redis.writable()
        # The file may have a truncated command in the middle, and Redis could not load it. So it is rewritten.
        for _ in range(REWRITES):
            await self.redis.reply("BGREWRITEAOF")
            await asyncio.sleep(0.2)
            said = await self.redis.info("persistence")
            if said["aof_rewrite_in_progress"].strip() == "0" and said["aof_last_bgrewrite_status"].strip() == "ok":
                return
        raise Away("the append-only file cannot be written again")


class DiskFullShort(DiskFull):
    name = "disk-full"
    what = "The disk of the append-only file is full for 5 s."
    seconds = (4.0, 6.0)


class DiskFullLong(DiskFull):
    name = "disk-full-long"
    what = "The disk of the append-only file is full for 14 s."
    seconds = (13.0, 16.0)
    quiet = 13.0


class RestartAof(RestartOld):
    name = "restart-aof"
    before = 2.0
    what = "Redis is killed and comes back from its append-only file, which lacks up to a second."
    sites = ("disk",)

    async def down(self) -> None:
        await self.redis.kill()
