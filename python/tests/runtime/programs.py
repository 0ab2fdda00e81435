"""Small programs in processes of their own: signals need a main thread, and one that hangs must not hold the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from ..support_server import die_with_parent

SOURCE = str(Path(__file__).parents[2] / "src")
HANGS = 60
"""Seconds after which a program counts as hanging: it prints where it stands, and ends."""


class Program:
    """A Python program of a few lines, which prints what it has to say. Its arguments are ``sys.argv[1:]``."""

    def __init__(self, text: str, *arguments: str, python: str = sys.executable) -> None:
        environment = {**os.environ, "PYTHONPATH": SOURCE, "PYTHONWARNINGS": "error"}
        watch = f"import faulthandler; faulthandler.dump_traceback_later({HANGS}, exit=True)\n"
        self.process = subprocess.Popen(
            [python, "-u", "-c", watch + textwrap.dedent(text), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=die_with_parent,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self, limit: float = 15) -> tuple[int, str]:
        """Wait for its end: exit code and the rest of what it printed."""
        out, err = self.process.communicate(timeout=limit)
        return self.process.returncode, out + err

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
