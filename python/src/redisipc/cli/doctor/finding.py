"""A finding, and what the checks know."""

from __future__ import annotations

import shlex
import time
from typing import Any, NamedTuple

from redisipc.cli.look import hosts
from redisipc.cli.look.stream import Found, look
from redisipc.cli.look.sweep import Sweep, sweep
from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure

PROBLEM, WARNING, NOTE = "problem", "warning", "note"
MOST_IDS = 50
"""IDs in a printed command; more need another run."""


class Finding(NamedTuple):
    """``code`` is for programs and never changes its meaning; ``commands`` are for redis-cli."""

    code: str
    severity: str
    seen: str
    why: str
    mend: str
    commands: tuple[str, ...] = ()
    group: str | None = None
    instance: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "commands": list(self.commands)}


class Facts:
    """The facts that are read once for all checks. ``skipped``: what could not be read, and why."""

    def __init__(self, client: Client, stream: str) -> None:
        self.client = client
        self.stream = stream
        self.skipped: list[str] = []
        before = time.time()
        [clock] = client.batch([("TIME",)])
        self.ahead: float | None = None
        """Seconds by which Redis' clock is ahead of ours."""
        self.doubt: float = time.time() - before
        if isinstance(clock, list):
            self.ahead = int(clock[0]) + int(clock[1]) / 1e6 - (before + time.time()) / 2
        self.info: dict[str, str] = self._info()
        self.found: Found | None = look(client, stream)
        self.swept: Sweep | None = sweep(client, self.found) if self.found else None
        self.clients: list[dict[str, str]] = hosts.rows(client)
        if not self.clients:
            self.skipped.append("connections: no right to CLIENT LIST")
        self.observed: Any = None

    def _info(self) -> dict[str, str]:
        [reply] = self.client.batch([("INFO",)])
        if isinstance(reply, Failure):
            self.skipped.append("the server: no right to INFO")
            return {}
        lines = reply.decode("utf-8", "replace").splitlines()
        return dict(line.partition(":")[::2] for line in lines if ":" in line)

    def connections(self, instance: str) -> list[dict[str, str]]:
        """The connections of an instance that names them."""
        return [row for row in self.clients if hosts.instance_in(row.get("name", "")) == instance]


def command(*words: str | bytes) -> str:
    """A command as redis-cli takes it from a shell."""
    return shlex.join(word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else word for word in words)


def listed(ids: list[str], most: int = 3) -> str:
    """Some of many, for people."""
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more
