"""A server of our own from a binary: `redis-server` or `valkey-server` on the PATH, or the embedded one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..standing import wait_until_stopped
from ..wire.address import Address
from .base import NoServer, Server, free_port, wait_until_up

LOCAL_START_SECONDS = 10.0
STOP_SECONDS = 5.0


def find_binary() -> Path | None:
    """A Redis or Valkey server program on the PATH (REDIS_SERVER names another one)."""
    named = os.environ.get("REDIS_SERVER")
    for name in [named] if named else ["redis-server", "valkey-server"]:
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


class LocalServer(Server):
    """One server process in a directory of its own, on a free port, without persistence unless it is restarted.

    ``config`` is added to its command line, ``environment`` to its environment. ``password``: clients must know it.
    """

    def __init__(
        self,
        binary: Path,
        kind: str = "local",
        config: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
        password: str = "",
    ):
        self.kind = kind
        self._password = password
        self._binary = binary
        self._config = config
        self._environment = {**os.environ, **(environment or {})}
        self._directory = tempfile.mkdtemp(prefix="redisipc-")
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return self._url(self._port)

    def _url(self, port: int) -> str:
        return Address("127.0.0.1", port, password=self._password or None).url()

    @property
    def pid(self) -> int | None:
        """The process's id, None where none runs."""
        return None if self._process is None else self._process.pid

    @property
    def binary(self) -> Path:
        """The program."""
        return self._binary

    @property
    def directory(self) -> Path:
        """The folder with its data."""
        return Path(self._directory)

    def start(self, *, empty: bool = False) -> None:
        if self._process is not None:
            return
        if empty:
            for left in (*self.directory.glob("*.rdb"), *self.directory.glob("*.pickle")):
                left.unlink()
            shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)
            (self.directory / "appendonly.aof").unlink(missing_ok=True)
        # A port that is free now may be taken a moment later: try a few (a restart must have the old one).
        attempts = 5 if self._port == 0 else 1
        for attempt in range(attempts):
            port = self._port or free_port()
            self._process = self._run(port)
            try:
                wait_until_up(self._url(port), LOCAL_START_SECONDS)
            except NoServer:
                self._end(kill=True)
                if attempt == attempts - 1:
                    self.close()
                    raise
                continue
            if self._process.poll() is None:
                self._port = port
                return
            self._process = None
        raise NoServer(f"{self._binary} does not stay up")

    def _command(self, port: int) -> list[str]:
        command = [
            str(self._binary), "--port", str(port), "--bind", "127.0.0.1", "--dir", self._directory, "--save", "",
            "--appendonly", "no", "--loglevel", "warning", "--enable-debug-command", "yes", *self._config,
            *(("--requirepass", self._password) if self._password else ()),
        ]  # fmt: skip
        if self._older_than_7():
            at = command.index("--enable-debug-command")
            del command[at : at + 2]
        return command

    def _run(self, port: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._command(port),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                preexec_fn=die_with_parent,
            )
        except OSError as error:
            raise NoServer(f"{self._binary} cannot be started: {error}") from error

    def _older_than_7(self) -> bool:
        said = subprocess.run([str(self._binary), "--version"], capture_output=True, text=True, check=False).stdout
        return " v=6." in said or " v=5." in said

    def twin(self) -> LocalServer:
        """Another one from the same program."""
        return LocalServer(self._binary, self.kind, self._config, self._environment, self._password)

    def stop(self) -> None:
        """SHUTDOWN SAVE: the data is there for the next start."""
        self._end(kill=False)

    def kill(self) -> None:
        """SIGKILL: unsaved data is lost."""
        self._end(kill=True)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)
        if self._process is not None:
            wait_until_stopped([self._process.pid])

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if not kill:
            with contextlib.suppress(OSError, NoServer):
                from .base import _command, connect

                with connect(self.url) as sock, contextlib.suppress(OSError):
                    _command(sock, "SHUTDOWN", "SAVE")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        if process.poll() is None:
            process.kill()
        process.wait()

    def close(self) -> None:
        self._end(kill=True)
        shutil.rmtree(self._directory, ignore_errors=True)


def die_with_parent() -> None:
    """Linux: the server ends if the runner is killed in any way."""
    with contextlib.suppress(Exception):
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        os.setpgrp()
