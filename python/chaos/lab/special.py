"""Special sites of one server: with TLS, with a clock that can be set, with a disk that can be filled."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from redisipc_conformance.server import NoServer

from .members import Member
from .site import Plain
from .watch import Watch, WatchedTap

SOURCE = Path(__file__).with_name("clock.c")
DISK = 48
"""MiB of the disk that can be filled."""


class Secure(Plain):
    """The members use TLS to their taps. ``use("valid")`` and ``use("expired")`` choose the certificate of the taps."""

    name = "tls"
    runtimes = ("threads", "asyncio", "node")

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self._folder = tempfile.TemporaryDirectory(prefix="redisipc-tls-")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.sni_callback = self._greeted
        self.handshakes = 0
        """The number of handshakes that have begun."""

    async def open(self, watch: Watch) -> None:
        if shutil.which("openssl") is None:
            raise NoServer("openssl, which makes certificates, is not on the PATH")
        await asyncio.to_thread(self._certificates)
        self.use("valid")
        await super().open(watch)

    def _certificates(self) -> None:
        folder = self._folder.name
        Path(folder, "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        commands = [
            "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=chaos -keyout ca.key -out ca.pem",
            "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request",
            "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile names -out valid.pem",
            "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days -1 -extfile names -out expired.pem",
        ]
        for command in commands:
            subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)

    def _greeted(self, *_: object) -> None:
        self.handshakes += 1

    def use(self, name: str) -> None:
        folder = Path(self._folder.name)
        self._context.load_cert_chain(folder / f"{name}.pem", folder / "key.pem")

    async def reach(self, member: Member) -> dict[str, Any]:
        if member.tap is None:
            tap = WatchedTap(self.redis.address, self.watch, tls=self._context)
            await tap.start()
            self._taps.append(tap)
            member.tap = tap
        ca = Path(self._folder.name) / "ca.pem"
        if member.runtime == "node":
            return {"url": member.tap.url, "ca": str(ca)}
        return {"url": f"{member.tap.url}?ssl_ca_certs={ca}"}

    async def close(self) -> None:
        await super().close()
        self._folder.cleanup()


class Clock(Plain):
    """``set(seconds)`` adds an offset to the wall clock of the server. A C compiler makes the library for this."""

    name = "clock"

    def __init__(self, server: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="redisipc-clock-")
        self._library = Path(self._folder.name) / "clock.so"
        self._file = Path(self._folder.name) / "offset"
        self.offset = 0.0
        super().__init__(server, environment={"CHAOS_CLOCK": str(self._file), "LD_PRELOAD": str(self._library)})
        self.set(0.0)

    async def open(self, watch: Watch) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise NoServer("no C compiler is on the PATH, which makes the library that sets a clock")
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(self._library), str(SOURCE)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoServer(f"the library that sets a clock cannot be compiled: {done.stderr.strip()[-300:]}")
        await super().open(watch)
        before = await self._time()
        self.set(100.0)
        stepped = await self._time() - before
        self.set(0.0)
        if stepped < 99.0:
            raise NoServer("this server's clock cannot be set: its program is linked statically, or runs elsewhere")

    async def _time(self) -> float:
        seconds, micros = await self.redis("TIME")
        return int(seconds) + int(micros) / 1e6

    def set(self, offset: float) -> None:
        """Writes the file in place, since the server has it mapped into its memory."""
        self.offset = offset
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", round(offset * 1e6)))

    async def close(self) -> None:
        await super().close()
        self._folder.cleanup()


class Disk(Plain):
    """The server writes its append-only file to a small disk of its own."""

    name = "disk"
    loading = ()

    def __init__(self, server: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="redisipc-disk-"))
        data = ("--dir", str(self.folder / "data"))
        aof = ("--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-min-size", "8mb")
        super().__init__(server, (*data, *aof))

    async def open(self, watch: Watch) -> None:
        done = await asyncio.to_thread(self._mount) if os.geteuid() == 0 else "only root may mount one"
        if done:
            self.folder.rmdir()
            raise NoServer(f"a disk of its own cannot be had: {done}")
        (self.folder / "data").mkdir()
        await super().open(watch)

    def _mount(self) -> str:
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "chaos", str(self.folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return str(error)
        return done.stderr.strip() if done.returncode else ""

    async def close(self) -> None:
        await super().close()
        if self.folder.is_dir():
            subprocess.run(["umount", str(self.folder)], capture_output=True, check=False)
            shutil.rmtree(self.folder, ignore_errors=True)
