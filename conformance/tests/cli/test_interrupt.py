"""Interrupted or killed, in whatever way and at whatever time, a run leaves no process, no server and no container."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from redisipc_conformance.server.container import engine_answers
from soon import soon

MODEL = Path(__file__).parents[2] / "mutants" / "testee.py"
LOCAL = "local" if shutil.which(os.environ.get("REDIS_SERVER", "redis-server")) else "embedded"
FEW = ("entry/*", "life/*", "requester/*")
"""Scenarios on the shared server and on servers of their own, with processes shared and of their own."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc"),
    pytest.mark.skipif(not MODEL.is_file(), reason="needs the model testee of a checkout"),
]
needs_engine = pytest.mark.skipif(engine_answers() is not None, reason="needs a Docker engine")


class Runner:
    """``redisipc-conformance run`` as a process of its own. Everything that it starts carries a mark in its environment."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.mark = f"RIPC_TEST_MARK={uuid.uuid4().hex}"
        name, value = self.mark.split("=")
        inherited = {key: text for key, text in os.environ.items() if key != "REDIS_URL"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "redisipc_conformance", "run", *options, "--", sys.executable, str(MODEL)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**inherited, name: value, "XDG_CACHE_HOME": str(folder), "PYTHONUNBUFFERED": "1"},
        )
        self.said = ""

    def read_until(self, pattern: str) -> re.Match[str]:
        """Until a line of its output fits."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"nothing like {pattern!r} in its output:\n{self.said}")

    def processes(self) -> list[str]:
        """The command lines of everything alive that it started."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                marked = self.mark.encode() in (folder / "environ").read_bytes()
                dead = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
                if marked and not dead and int(folder.name) != os.getpid():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except (OSError, IndexError):
                continue
        return found

    def end(self) -> int:
        """Its exit code; fails when it does not end."""
        assert self.process.stdout is not None
        self.said += self.process.stdout.read()
        return self.process.wait(timeout=30)


Start = Callable[..., Runner]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Runner] = []

    def go(*options: str) -> Runner:
        started.append(Runner(tmp_path, *options))
        return started[-1]

    yield go
    for runner in started:
        runner.process.kill()
        runner.process.wait()
        assert runner.process.stdout is not None
        runner.process.stdout.close()


def answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def running(runner: Runner) -> int:
    """Waits until scenarios are under way; the port of its Redis."""
    port = int(runner.read_until(r"^redis .* at redis://[^:]+:(\d+)")[1])
    runner.read_until(r"^(pass|fail|not-applicable|warning|inconclusive|suite-error)\s")
    assert answers(port)
    assert len(runner.processes()) > 1
    return port


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_2_and_a_report_of_what_ran(start: Start, tmp_path: Path, how: signal.Signals):
    runner = start(*FEW, "--redis", LOCAL, "-v", "--report", "json=r.json")
    port = running(runner)
    runner.process.send_signal(how)
    assert runner.end() == 2
    assert "Interrupted" in runner.said
    assert "not decided (interrupted)" in runner.said
    assert (tmp_path / "r.json").is_file()
    assert "Traceback" not in runner.said
    assert runner.processes() == []
    assert not answers(port)


def test_twice_is_at_once(start: Start):
    runner = start(*FEW, "--redis", LOCAL, "-v")
    port = running(runner)
    runner.process.send_signal(signal.SIGINT)
    runner.process.send_signal(signal.SIGINT)
    assert runner.end() == 2
    assert runner.processes() == []
    assert not answers(port)


def test_while_the_server_starts_or_the_shim_is_checked(start: Start):
    for delay in (0.6, 1.2, 1.8, 2.4):
        runner = start(*FEW, "--redis", LOCAL, "-v")
        time.sleep(delay)
        runner.process.send_signal(signal.SIGTERM)
        # Before Python has come to set the handlers, the signal itself is the end.
        assert runner.end() in (2, -signal.SIGTERM)
        assert soon(lambda runner=runner: not runner.processes()), runner.processes()


def test_killed_it_takes_everything_along(start: Start):
    runner = start(*FEW, "--redis", LOCAL, "-v")
    port = running(runner)
    runner.process.kill()
    runner.process.wait()
    assert soon(lambda: not runner.processes()), runner.processes()
    assert soon(lambda: not answers(port)), f"the server at port {port} still answers"


@needs_engine
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_container_is_left(start: Start, how: signal.Signals):
    runner = start(*FEW, "--redis", "container", "-v")
    port = running(runner)

    def containers() -> str:
        listed = ["docker", "ps", "--all", "--quiet", "--filter", f"publish={port}"]
        return subprocess.run(listed, capture_output=True, text=True, check=True).stdout.strip()

    assert containers()
    runner.process.send_signal(how)
    runner.process.wait(timeout=60)
    assert soon(lambda: not containers() and not answers(port), 30)
    assert soon(lambda: not runner.processes()), runner.processes()
