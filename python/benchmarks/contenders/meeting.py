"""Lets the two sides of a contender without Redis find each other: the server writes its port to a file."""

from __future__ import annotations

import ctypes
import signal
import socket
import sys
import tempfile
from pathlib import Path


def _place(name: str) -> Path:
    return Path(tempfile.gettempdir()) / f"redisipc-bench-{name}.port"


def tell(name: str, port: int) -> None:
    """Writes that the server of ``name`` listens on ``port``."""
    _place(name).write_text(str(port))


def port_of(name: str) -> int:
    """The port of the server of ``name``, which wrote it before it was ready."""
    return int(_place(name).read_text())


def forget(name: str) -> None:
    _place(name).unlink(missing_ok=True)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


def end_with_parent() -> None:
    """For ``preexec_fn``: lets a server end together with the process that started it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
