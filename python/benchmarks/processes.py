"""The two processes of a contender, and the cost of these and of the server."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple

import redis

from .contenders import Contender, module_of

HERE = Path(__file__).parents[1]
START_LIMIT = 60.0
"""A process must be ready within so many seconds."""


class Job(NamedTuple):
    """The result of one job: seconds of each request and of all, failures, commands, connections.

    ``cpu``: processor time of requesters, responders and Redis in seconds; empty if the system does not tell it.
    """

    latencies: list[float]
    seconds: float
    errors: int
    commands: int
    connections: int
    cpu: Mapping[str, float] = MappingProxyType({})


class Side:
    """One process of a contender."""

    def __init__(self, contender: Contender, role: str, url: str, stream: str, options: dict[str, Any]) -> None:
        command = getattr(module_of(contender.name), "COMMAND", None)
        if command is None:
            program = [
                sys.executable,
                "-m",
                "benchmarks.worker",
                contender.name,
                role,
                url,
                stream,
                json.dumps(options),
            ]
        else:
            program = [*command, role, url, stream]
        self.process = subprocess.Popen(program, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hear(START_LIMIT)

    def hear(self, seconds: float) -> Any:
        """The next line that the process prints, decoded."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            raise TimeoutError(f"no word within {seconds:g} s from {self.process.args!r}")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"ended with {self.process.wait()}: {self.process.args!r}")
        return json.loads(line)

    def ask(self, job: dict[str, Any], seconds: float = 600.0) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return self.hear(seconds)

    @property
    def cpu(self) -> float:
        """CPU seconds so far; 0 if the system does not tell them."""
        try:
            # In nanoseconds, if the kernel counts them. Threads that have ended are not included.
            tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
            exact = sum(int(task.read_text().split()[0]) for task in tasks) / 1e9
            if exact:
                return exact
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> int:
        """Bytes of memory in use; 0 if the system does not tell them."""
        try:
            return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Pair:
    """Responders and requesters on a stream of their own. The first requester is measured.

    All belong to one contender, unless ``server`` names another one with the same protocol.
    """

    def __init__(
        self,
        contender: Contender,
        url: str,
        stream: str,
        servers: list[dict[str, Any]] | None = None,
        askers: list[dict[str, Any]] | None = None,
        server: Contender | None = None,
    ) -> None:
        self.contender = contender
        self.client = redis.Redis.from_url(url)
        self.before = self._connections()
        self.sides: list[Side] = []
        try:
            for options in servers or [{}]:
                self.sides.append(Side(server or contender, "serve", url, stream, options))
            self.askers = []
            for options in askers or [{}]:
                self.askers.append(Side(contender, "ask", url, stream, options))
                self.sides.append(self.askers[-1])
        except BaseException:
            self.close()
            raise
        self.opened = self._connections() - self.before

    def run(self, payload: str, count: int, at_once: int = 1) -> Job:
        commands, others = self._commands(), self._connections() - self.opened
        before = self._cpu()
        answer = self.askers[0].ask({"payload": payload, "count": count, "at_once": at_once})
        after = self._cpu()
        # The measurement itself sends these: two looks at the commands, one at the connections, two at the processor time.
        commands = self._commands() - commands - 4
        connections = self._connections() - others
        used = {name: after[name] - before[name] for name in before if before[name] and after[name] > before[name]}
        return Job(answer["latencies"], answer["seconds"], answer["errors"], commands, connections, used)

    def run_beside(self, payload: str, count: int, space: float) -> Job:
        """Sends requests from the first requester, ``space`` seconds apart, while the second one asks without a pause."""
        stop = threading.Event()

        def ask_on() -> None:
            while not stop.is_set():
                self.askers[1].ask({"payload": payload, "count": 200, "at_once": 4})

        other = threading.Thread(target=ask_on)
        other.start()
        try:
            done = self.askers[0].ask({"payload": payload, "count": count, "at_once": 1, "space": space})
        finally:
            stop.set()
            other.join()
        return Job(done["latencies"], done["seconds"], done["errors"], 0, self._connections() - self.before)

    def _cpu(self) -> dict[str, float]:
        """Processor time so far in seconds: requesters, responders, Redis."""
        askers = sum(side.cpu for side in self.askers)
        about = self.client.info("cpu")
        servers = sum(side.cpu for side in self.sides) - askers
        return {"asker": askers, "responder": servers, "Redis": about["used_cpu_sys"] + about["used_cpu_user"]}

    def _commands(self) -> int:
        return int(self.client.info("stats")["total_commands_processed"])

    def _connections(self) -> int:
        return int(self.client.info("clients")["connected_clients"])

    def close(self) -> None:
        for side in self.sides:
            side.close()
        self.client.close()

    def __enter__(self) -> Pair:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
