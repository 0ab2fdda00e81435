"""The implementations that take part: how each is started, and why one is not available here."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE_TESTEE = ROOT / "interop" / "node" / "dist" / "testee.js"


@dataclass(frozen=True)
class Implementation:
    """``missing``: why it cannot run here, or an empty text. ``language``: two of one language are not a mixed group."""

    name: str
    language: str
    command: tuple[str, ...]
    missing: str = ""


def implementations() -> list[Implementation]:
    """All that the project knows, those that are not there included."""
    python = str(ROOT / "python" / "testee" / "testee.py")
    return [
        Implementation("python-threads", "python", (sys.executable, python, "--runtime", "threads")),
        Implementation("python-asyncio", "python", (sys.executable, python, "--runtime", "asyncio")),
        _node(),
        _ruby(),
    ]


def _node() -> Implementation:
    missing = ""
    if shutil.which("node") is None:
        missing = "node is not on the PATH (Node.js 20 or later)"
    elif not NODE_TESTEE.is_file():
        missing = "the port is not built: make node"
    return Implementation("node", "node", ("node", str(NODE_TESTEE)), missing)


def _ruby() -> Implementation:
    ruby = shlex.split(os.environ.get("RUBY", "ruby"))
    command = (*ruby, str(ROOT / "interop" / "ruby" / "testee.rb"))
    script = 'require "logger"; require "redis_ipc"; print RedisIPC::VERSION'
    try:
        found = subprocess.run([*ruby, "-e", script], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Implementation("ruby-gem", "ruby", command, f"{ruby[0]} cannot be run: {error}")
    missing = "" if found.returncode == 0 else "Ruby finds no gem redis_ipc (see interop/ruby/README.md)"
    return Implementation("ruby-gem", "ruby", command, missing)
