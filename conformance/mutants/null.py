"""A testee that answers ok to everything and touches no Redis. A check that it passes checks nothing."""

from __future__ import annotations

import json
import sys
from typing import Any

HELLO = {
    "protocol": "1.0",
    "name": "null",
    "version": "1",
    "language": "python",
    "spec": ["1.0"],
    "profiles": ["base", "group", "channel", "resilient"],
    "features": ["cancel", "cancellation", "wakeup", "announce", "redelivery", "required-params"],
}
RESULTS: dict[str, dict[str, Any]] = {
    "hello": HELLO,
    "connect": {"instance": "000000"},
    "send": {"outcome": "fulfilled", "content": None},
    "trigger": {"outcome": "fulfilled", "content": None},
}

for line in sys.stdin:
    call = json.loads(line)
    result = RESULTS.get(call["method"], {})
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}) + "\n")
    sys.stdout.flush()
    if call["method"] == "shutdown":
        break
