"""The gem README's parent and child as two processes, and what they exchange, as it goes over the wire.

``make demo`` chooses a Redis and runs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import redis
from wire import Wire, paint

HERE = Path(__file__).parent
STREAM = "electric_household"
PARENTS = 3


def start(name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-u", str(HERE / f"{name}.py")])


def wait_for_child(client: redis.Redis, process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """Until it can be found: its availability list is there."""
    end = time.monotonic() + seconds
    while not list(client.scan_iter(f"{STREAM}:child:*:consumers")):
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit("the child did not connect")
        time.sleep(0.02)


def main() -> int:
    url = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
    begin = time.monotonic()
    with redis.Redis.from_url(url) as client:
        client.delete(STREAM)
        wire = Wire(url, STREAM)
        child = start("child")
        try:
            wait_for_child(client, child)
            wire.start()
            print(paint(f"child.py is process {child.pid}; what follows goes over the stream {STREAM!r}", "bold"))
            for _ in range(PARENTS):
                wire.restart_clock()
                parent = start("parent")
                print(paint(f"\nparent.py is process {parent.pid}", "bold"))
                if parent.wait(15) not in (0, 1):
                    return 1
        finally:
            child.terminate()
            child.wait(15)
        left = client.xlen(STREAM)
        client.delete(STREAM)
    seconds = time.monotonic() - begin
    print(paint(f"\n{wire.entries} entries in {seconds:.1f} s, {left} left in the stream; the child has left", "bold"))
    return 0 if left == 0 and wire.entries else 1


if __name__ == "__main__":
    sys.exit(main())
