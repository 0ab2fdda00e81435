"""A master, two replicas, and three Sentinels that decide who is the master."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from pathlib import Path
from time import monotonic
from typing import Any

from redisipc_conformance.server import die_with_parent
from redisipc_conformance.server.base import free_port
from redisipc_conformance.wire.address import Address
from redisipc_conformance.wire.client import Client

from .members import Member
from .node import Node, node
from .redis import Away, Redis
from .replicas import LIMIT, in_step, role
from .site import Site
from .watch import Watch

NAME = "chaos"
"""The Sentinels' name for the master."""
DOWN_AFTER = 1500
"""A Sentinel takes a server for down after so many milliseconds of silence."""


class Sentinels(Site):
    name = "sentinel"
    runtimes = ("threads", "asyncio")

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.nodes: list[Node] = []
        self.watchers: list[tuple[int, subprocess.Popen[bytes]]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="redisipc-sentinel-")
        self._master = 0

    @property
    def redis(self) -> Redis:
        return self.nodes[self._master].redis

    @property
    def master(self) -> Node:
        return self.nodes[self._master]

    @property
    def replicas(self) -> list[Node]:
        return [each for each in self.nodes if each is not self.master]

    async def open(self, watch: Watch) -> None:
        def config(port: int) -> tuple[str, ...]:
            announce = ("--replica-announce-ip", "127.0.0.1", "--replica-announce-port", str(port))
            return (*announce, "--repl-diskless-sync-delay", "0", "--repl-timeout", "10")

        for _ in range(3):
            self.nodes.append(await node(self.server, config, watch))
        for replica in self.replicas:
            await replica.redis("REPLICAOF", "127.0.0.1", self.master.port)
        await in_step(self.redis, [replica.redis for replica in self.replicas])
        for _ in range(3):
            self.watchers.append(self._start(free_port()))
        await self._agree()

    def _start(self, port: int) -> tuple[int, subprocess.Popen[bytes]]:
        folder = Path(self._folder.name) / str(port)
        folder.mkdir(exist_ok=True)
        conf = folder / "sentinel.conf"
        if not conf.exists():
            lines = [
                f"port {port}", "bind 127.0.0.1", f"dir {folder}", f"logfile {folder}/log",
                f"sentinel monitor {NAME} 127.0.0.1 {self.master.port} 2",
                f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}",
                f"sentinel failover-timeout {NAME} 4000",
                f"sentinel parallel-syncs {NAME} 2",
            ]  # fmt: skip
            conf.write_text("\n".join(lines) + "\n")
        command = [str(self.nodes[0].server.binary), str(conf), "--sentinel"]
        quiet = subprocess.DEVNULL
        return port, subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, preexec_fn=die_with_parent)

    async def _agree(self) -> None:
        """Waits until each Sentinel knows both replicas and the other Sentinels."""
        end = monotonic() + LIMIT
        for port, _ in self.watchers:
            while True:
                said = await self.ask(port, "SENTINEL", "MASTER", NAME)
                facts = dict(zip(said[::2], said[1::2], strict=True)) if isinstance(said, list) else {}
                if (facts.get(b"num-slaves"), facts.get(b"num-other-sentinels")) == (b"2", b"2"):
                    break
                if monotonic() > end:
                    raise Away("the Sentinels do not find each other")
                await asyncio.sleep(0.1)

    async def ask(self, port: int, *command: str) -> Any:
        """Sends one command to one Sentinel. Returns None if it does not reply."""
        client = Client(Address("127.0.0.1", port))
        try:
            return await asyncio.wait_for(client.reply(*command), 3.0)
        except (OSError, asyncio.TimeoutError):
            return None
        finally:
            await client.close()

    async def elected(self) -> float:
        """Waits until another server is the master. Returns the time of this."""
        end = monotonic() + LIMIT
        while monotonic() < end:
            for index, each in enumerate(self.nodes):
                if index != self._master and await role(each.redis) == "master":
                    self._master = index
                    return monotonic()
            await asyncio.sleep(0.01)
        raise Away(f"no other master within {LIMIT:g} s")

    async def named(self, all_of_them: bool) -> float:
        """Waits until one Sentinel, or each that replies, names the present master to clients. Returns the time of this."""
        end = monotonic() + LIMIT
        enough = len(self.watchers) if all_of_them else 1
        while monotonic() < end:
            said = [await self.ask(port, "SENTINEL", "MASTER", NAME) for port, _ in self.watchers]
            facts = [dict(zip(one[::2], one[1::2], strict=True)) for one in said if isinstance(one, list)]
            right = sum(fact[b"port"] == b"%d" % self.master.port for fact in facts)
            if right >= min(enough, len(facts)) > 0:
                return monotonic()
            await asyncio.sleep(0.02)
        raise Away("the Sentinels do not name the new master")

    async def together(self) -> None:
        """Waits until all servers follow the master again."""
        await in_step(self.redis, [replica.redis for replica in self.replicas])

    def sentinel(self, index: int) -> subprocess.Popen[bytes]:
        return self.watchers[index][1]

    def again(self, index: int) -> None:
        """Starts a Sentinel again that was killed, with its configuration."""
        self.watchers[index] = self._start(self.watchers[index][0])

    async def reach(self, member: Member) -> dict[str, Any]:
        return {"sentinels": [["127.0.0.1", port] for port, _ in self.watchers], "master": NAME}

    async def close(self) -> None:
        for _, watcher in self.watchers:
            watcher.kill()
            watcher.wait()
        for each in self.nodes:
            await each.close()
        self._folder.cleanup()
