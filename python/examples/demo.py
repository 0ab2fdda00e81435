"""The gem README's parent and child as two processes, and what they exchange, as ``redisipc watch`` shows it.

``make demo`` chooses a Redis and runs it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis

HERE = Path(__file__).parent
STREAM = "electric_household"
PARENTS = 3


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-u", *words])


def wait(what: str, there: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 10.0) -> None:
    """Until it is there."""
    end = time.monotonic() + seconds
    while not there():
        if process.poll() is not None or time.monotonic() > end:
            raise SystemExit(f"{what} did not start")
        time.sleep(0.02)


def main() -> int:
    url = os.environ.get("REDIS_URL", "redis://localhost:6379/0")
    begin = time.monotonic()
    with redis.Redis.from_url(url) as client:
        client.delete(STREAM)
        child = start(str(HERE / "child.py"))
        watch = None
        try:
            wait("the child", lambda: bool(list(client.scan_iter(f"{STREAM}:child:*:consumers"))), child)
            print(f"child.py is process {child.pid}; redisipc watch --exact --stream {STREAM} shows:", flush=True)
            watch = start("-m", "redisipc", "watch", "--exact", "--url", url, "--stream", STREAM)
            wait("the watcher", lambda: any(row["cmd"] == "monitor" for row in client.client_list()), watch)
            for _ in range(PARENTS):
                parent = start(str(HERE / "parent.py"))
                print(f"\nparent.py is process {parent.pid}", flush=True)
                if parent.wait(15) not in (0, 1):
                    return 1
        finally:
            if watch is not None:
                watch.send_signal(signal.SIGINT)
                watch.wait(15)
            child.terminate()
            child.wait(15)
        left = client.xlen(STREAM)
        client.delete(STREAM)
    print(f"\n{time.monotonic() - begin:.1f} s, {left} entries left in the stream; the child has left")
    return 0 if left == 0 and watch.returncode == 130 else 1


if __name__ == "__main__":
    sys.exit(main())
