"""One side of a contender as a process of its own: ``python -m benchmarks.worker NAME serve|ask URL STREAM OPTIONS``.

A server says ``{"ready": true}`` and continues. A requester reads one job a line, and answers each with a line:
``{"payload": "JSON text", "count": 100, "at_once": 1}`` to ``{"latencies": [...], "seconds": 0.1, "errors": 0, "cpu": 0.05}``.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

from .asking import spaced
from .contenders import BY_NAME, module_of

# Other output of a contender, for example a banner, must not mix with the lines. It goes to stderr.
_lines = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def say(message: dict[str, Any]) -> None:
    print(json.dumps(message), file=_lines, flush=True)


def _end_with_parent() -> None:
    """Ends the server when the measuring process ends for any reason."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    name, role, url, stream, given = sys.argv[1:6]
    options: dict[str, Any] = json.loads(given)
    if not BY_NAME[name].hiredis:
        # A later import of it fails, as if it were not installed.
        sys.modules["hiredis"] = None  # type: ignore[assignment]
    if BY_NAME[name].uvloop:
        import asyncio

        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    module = module_of(name)
    if role == "serve":
        threading.Thread(target=_end_with_parent, daemon=True).start()
        module.serve(url, stream, lambda: say({"ready": True}), **options)
        return
    with module.ask(url, stream, **options) as ask:
        say({"ready": True})
        for line in sys.stdin:
            job = json.loads(line)
            payload = job["payload"] if getattr(module, "TEXT", False) else json.loads(job["payload"])
            cpu = time.process_time()
            if job.get("space"):
                asked = spaced(ask, payload, job["count"], job["space"])
            else:
                asked = ask(payload, job["count"], job["at_once"])
            say({**asked._asdict(), "cpu": time.process_time() - cpu})


if __name__ == "__main__":
    main()
