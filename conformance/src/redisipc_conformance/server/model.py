"""Not a Redis, but the Python library's model of one, as a server process.

It can be stopped, paused and killed like a server. A run on it tests the model as well as the testee, so its report is
never a published result.
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
        # Found by a separate process: the suite itself never loads an implementation.
        asked = [sys.executable, "-c", f"import {MODULE}.__main__"]
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            raise NoServer(f"the model is part of the library for Python, and {sys.executable} has no module {MODULE}")
        super().__init__(Path(sys.executable), kind="model")

    def twin(self) -> ModelServer:
        return ModelServer()

    def _command(self, port: int) -> list[str]:
        return [str(self.binary), "-m", MODULE, "--port", str(port), "--dir", str(self.directory)]
