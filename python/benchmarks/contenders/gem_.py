"""The gem, by ``gem.rb`` in this folder, if Ruby finds it. ``RUBY`` names the program (default ``ruby``)."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

RUBY = shlex.split(os.environ.get("RUBY") or "ruby")
COMMAND = [*RUBY, str(Path(__file__).with_name("gem.rb"))]


def missing() -> str:
    """The reason why it cannot run here; empty if it can."""
    try:
        done = subprocess.run([*COMMAND, "check"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{RUBY[0]} cannot be run: {error}"
    return "" if done.returncode == 0 else "Ruby does not find the gem redis_ipc (gem install redis_ipc, or RUBYLIB)"
