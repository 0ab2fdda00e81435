"""A Redis of a test's own, that may be killed, paused and started again, with options of the test's choice.

Which program that is, and which server the other tests share, is decided by the conformance package, the one place for
it. It never imports this library, so that it can be used here.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import redis

try:
    from redisipc_conformance.server import choose, die_with_parent, program
except ImportError as error:
    raise ImportError("the tests need the package in conformance/: pip install -e conformance, or make test") from error

__all__ = ["Server", "choose", "die_with_parent", "free_port", "program"]


class Server:
    """A server of our own on a free port, without persistence: what is killed comes back empty."""

    def __init__(self, *options: str) -> None:
        self.options = options
        self.directory = tempfile.mkdtemp(prefix="redisipc-test-")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises RuntimeError with the server's log. A port that was free may be the local port of a connection a moment later."""
        for last in (False, False, True):
            try:
                self._start()
            except RuntimeError as error:
                if last or "in use" not in str(error):
                    raise
                time.sleep(0.2)
            else:
                return

    def _start(self) -> None:
        command = [str(program()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--dir", self.directory, *self.options]
        log = Path(self.directory, "server.log")
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file, preexec_fn=die_with_parent)
        until = time.monotonic() + 10
        with redis.Redis.from_url(self.url, protocol=2) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    if time.monotonic() > until or self.process.poll() is not None:
                        raise RuntimeError(f"no server: {log.read_text()}") from None
                    time.sleep(0.01)

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
