"""A testee that touches no Redis and misbehaves as the content of a send says, or the name of a group."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

HELLO = {
    "protocol": "1.0", "name": "fake", "version": "0", "language": "none", "spec": ["1.0"], "profiles": ["base", "resilient"],
    "features": ["wakeup"],
}  # fmt: skip


def write(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(method: str, params: dict[str, Any]) -> Any:
    if method == "hello":
        return HELLO
    if method == "connect":
        if params["group"] == "hangs":
            time.sleep(3600)
        return {"instance": "abc123"}
    if method == "send":
        content = params["content"]
        if content == "crash":
            print("going down", file=sys.stderr, flush=True)
            os._exit(3)
        if content == "broken":
            return {"outcome": "perhaps", "content": None}
        if content == "never":
            return None
        return {"outcome": "fulfilled", "content": content}
    return {}


for line in sys.stdin:
    call = json.loads(line)
    result = answer(call["method"], call.get("params", {}))
    if result is not None:
        write({"id": call["id"], "result": result})
    if call["method"] == "shutdown":
        break
