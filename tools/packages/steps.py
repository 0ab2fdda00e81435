"""Runs one command at a time, and shows its output if it fails. Also the folders that the steps share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class Failed(Exception):
    """A step did not hold. The text says which command, and what it printed."""


@dataclass(frozen=True)
class Place:
    """Folders of one run, and the Redis for the programs that need one."""

    clone: Path
    out: Path
    work: Path
    redis_url: str | None

    def one(self, pattern: str) -> Path:
        """The only built file of this pattern."""
        found = sorted(self.out.glob(pattern))
        if len(found) != 1:
            raise Failed(f"one file {pattern} was expected in {self.out}, there are {len(found)}")
        return found[0]

    def environment(self, name: str) -> Path:
        """The Python of a fresh virtual environment."""
        folder = self.work / f"env-{name}"
        run([sys.executable, "-m", "venv", str(folder)], self.work)
        return folder / "bin" / "python"


def run(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None, quiet: bool = False) -> str:
    """The command's output. Raises Failed with all that it printed when it does not end with 0."""
    # Without PYTHONPATH, so that the installed package is tried.
    surrounding = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTEST_ADDOPTS")}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**surrounding, **(env or {})},
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else subprocess.STDOUT,
    )
    if done.returncode:
        raise Failed(f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def pip(python: Path, *what: str) -> None:
    """Installs into the environment of this Python."""
    run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what], python.parent)
