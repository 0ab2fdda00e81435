"""A testee that only pings Redis, and misbehaves as the content of a send says, or the name of a group."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from typing import Any
from urllib.parse import urlsplit

HELLO = {
    "protocol": "1.0", "name": "fake", "version": "0", "language": "none", "spec": ["1.0"],
    "profiles": ["base", "group", "resilient"], "features": ["wakeup"],
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
        address = urlsplit(params["url"])
        with socket.create_connection((address.hostname, address.port)) as redis:
            redis.sendall(b"*1\r\n$4\r\nPING\r\n")
            redis.recv(64)
        return {"instance": "abc123"}
    if method == "disconnect" and "--leavers" in sys.argv:
        with open(sys.argv[-1], "a+") as leavers:
            leavers.write(f"{params['endpoint']}\n")
            leavers.seek(0)
            if len(leavers.readlines()) == 1:
                return None
    if method == "shutdown" and "--stays" in sys.argv:
        open(sys.argv[-1], "w").close()
        time.sleep(3600)
    if method == "send":
        content = params["content"]
        if content == "crash" and "--once" in sys.argv and os.path.exists(sys.argv[-1]):
            return {"outcome": "fulfilled", "content": content}
        if content == "crash":
            if "--once" in sys.argv:
                open(sys.argv[-1], "w").close()
            print("going down", file=sys.stderr, flush=True)
            os._exit(3)
        if content == "hang":
            time.sleep(3600)
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
