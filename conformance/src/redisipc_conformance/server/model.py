"""No Redis: the model of one that the library for Python brings along, as a server process.

It stops, stands still and is killed as a server is. A run on it says something about the model as well as about the testee,
so that its report is never a published result.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .base import NoServer
from .local import LocalServer

MODULE = "redisipc.testing"


class ModelServer(LocalServer):
    """The model, in a Python process of its own."""

    def __init__(self) -> None:
        # Asked in a process: the suite itself never loads an implementation.
        asked = [sys.executable, "-c", f"import {MODULE}.__main__"]
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            raise NoServer(f"the model is part of the library for Python, and {sys.executable} has no module {MODULE}")
        super().__init__(Path(sys.executable), kind="model")

    def twin(self) -> ModelServer:
        return ModelServer()

    def _command(self, port: int) -> list[str]:
        return [str(self.binary), "-m", MODULE, "--port", str(port), "--dir", str(self.directory)]
