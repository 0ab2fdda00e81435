"""A shim that keeps its manners, and does odd things when its group says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

HELLO = {
    "protocol": "1.0", "name": "echo", "version": "0", "language": "none", "spec": ["1.0"], "profiles": ["base"], "features": [],
}  # fmt: skip


def write(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


waiting: list[int] = []
for line in sys.stdin:
    call = json.loads(line)
    params = call.get("params", {})
    group = params.get("group")
    if group == "later":
        waiting.append(call["id"])
        continue
    if group == "dies":
        os._exit(7)
    if group == "refuses":
        write({"id": call["id"], "error": {"code": -32000, "message": "no", "data": {"why": 1}}})
        continue
    if group == "broken":
        write({"id": call["id"], "result": {"instance": 5}})
        continue
    if group == "strange-notification":
        write({"method": "surprise", "params": {"endpoint": "a"}})
        continue
    if group == "child":
        child = subprocess.Popen(["sleep", "600"])
        print(child.pid, file=sys.stderr, flush=True)
    if call["method"] == "send":
        write({"id": call["id"], "result": {"outcome": "fulfilled", "content": params["content"]}})
        for id in waiting:
            write({"id": id, "result": {"instance": "late"}})
        waiting.clear()
        continue
    if call["method"] == "raise":
        write({"method": "cancelled", "params": {"endpoint": "a", "request": params["request"]}})
    if call["method"] == "shutdown" and "--deaf" in sys.argv:
        while True:
            pass
    write({"id": call["id"], "result": HELLO if call["method"] == "hello" else {"instance": "a"} if group else {}})
    if call["method"] == "shutdown":
        break
