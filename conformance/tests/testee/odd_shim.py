"""A shim that does nothing, correctly, unless argv names what it does wrong. No Redis is touched."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

FAULTS = set(sys.argv[1:])
REQUIRED = {
    "hello": {"protocol"},
    "connect": {"endpoint", "url", "stream", "group"},
    "send": {"endpoint", "to", "content"},
    "trigger": {"endpoint", "event", "target"},
    "cancel": {"endpoint", "call"},
    "fulfill": {"endpoint", "request", "content"},
    "disconnect": {"endpoint"},
    "shutdown": set(),
}  # fmt: skip
HELLO = {
    "protocol": "1.0", "name": "odd", "version": "1", "language": "python", "spec": ["1.0"],
    "profiles": ["base"], "features": [],
}  # fmt: skip


out = open(1, "w", buffering=1 << 16, closefd=False)  # noqa: SIM115  whatever PYTHONUNBUFFERED says


def write(message: dict[str, Any]) -> None:
    out.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    if "no-flush" not in FAULTS:
        out.flush()


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method not in REQUIRED:
        return {"result": {}} if "any-method" in FAULTS else refusal(-32601, "no such method")
    if not params.keys() >= REQUIRED[method]:
        if "crash" in FAULTS:
            os._exit(7)
        return refusal(-32000 if "wrong-code" in FAULTS else -32602, "parameters are missing")
    if method == "hello":
        return {"result": hello()}
    if method == "connect":
        time.sleep(5 if params["endpoint"] == "slow" else 0)
        return {"result": {"instance": "abcdef"}}
    if method == "shutdown":
        return {"result": {}}
    if method in ("cancel", "trigger"):
        return {"result": {}} if "takes-all" in FAULTS else refusal(-32601, "not claimed")
    return {"result": {}} if "takes-all" in FAULTS else refusal(-32000, "no such endpoint")


def hello() -> dict[str, Any]:
    if "no-profiles" in FAULTS:
        return {key: value for key, value in HELLO.items() if key != "profiles"}
    return {**HELLO, "features": ["telepathy"]} if "telepathy" in FAULTS else HELLO


def refusal(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def handle(message: dict[str, Any]) -> None:
    reply = answer(message["method"], message.get("params", {}))
    write({"id": message["id"], **reply})
    if "twice" in FAULTS and message["method"] == "frobnicate":
        write({"id": message["id"], **reply})
    if message["method"] == "shutdown" and "lingers" not in FAULTS:
        out.flush()
        os._exit(3 if "exit-3" in FAULTS else 0)


def main() -> None:
    if "dies" in FAULTS:
        sys.exit("cannot import name 'Stream'")
    if "greets" in FAULTS:
        out.write("odd shim ready\n")
    lines = sys.stdin.readlines() if "reads-all" in FAULTS else sys.stdin
    for line in lines:
        if "one-at-a-time" in FAULTS:
            handle(json.loads(line))
        else:
            threading.Thread(target=handle, args=(json.loads(line),), daemon=True).start()
    while "ignores-eof" in FAULTS:
        time.sleep(1)
    if "reads-all" in FAULTS:
        time.sleep(0.5)
    out.flush()
    os._exit(0)


main()
