"""Removes a container whose runner was killed: a small process that outlives the runner and waits for its pipe to close.

It replaces testcontainers' reaper, whose image an offline machine may not have.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys

DISMISSED = b"dismissed"


class Guard:
    """Watches over one container until this process ends, in any way."""

    def __init__(self, container: str) -> None:
        # Started as a file and not as a module: it needs nothing of this package, and so starts quickly.
        self._process = subprocess.Popen(
            [sys.executable, __file__, container],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The container is gone; there is nothing to watch over any longer."""
        with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
            self._process.communicate(DISMISSED, timeout=5)
        self._process.kill()
        self._process.wait()


def main(container: str) -> None:
    """Waits for the end of the input, and removes the container unless it was dismissed."""
    if sys.stdin.buffer.read() == DISMISSED:
        return
    import docker

    client = docker.from_env(timeout=30)
    with contextlib.suppress(docker.errors.NotFound):
        client.api.remove_container(container, force=True, v=True)
    client.close()


if __name__ == "__main__":
    main(sys.argv[1])
