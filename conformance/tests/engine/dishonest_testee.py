"""A testee that speaks the protocol and plays nothing, and that is not honest in the way that argv names.

It sends a PING, or what its deed needs, when it connects. `send` ends at once as fulfilled.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DEED, FILE = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
HELLO = {
    "protocol": "1.0", "name": "dishonest", "version": "1", "language": "none", "spec": ["1.0"],
    "profiles": ["base", "group"], "features": [],
}  # fmt: skip
FIELDS = {
    "id": "0123456789abcdef01234", "instance_id": "abc123", "status": "pending", "content": "1", "source_group": "a",
    "destination_group": "b",
}  # fmt: skip


def ask(redis: socket.socket, *words: str) -> str:
    redis.sendall(f"*{len(words)}\r\n".encode() + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
    return redis.recv(65536).decode()


def connect(url: str, stream: str) -> None:
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    with socket.create_connection((address.hostname, address.port)) as tap:
        ask(tap, "PING")
        if DEED == "past-the-tap":
            told = ask(tap, "INFO", "server")
            port = int(told.split("tcp_port:")[1].split("\r\n")[0])
            with socket.create_connection((address.hostname, port)) as redis:
                entry = [part for pair in FIELDS.items() for part in pair]
                Path(FILE).write_text(ask(redis, "XADD", stream, "*", *entry))
        elif DEED.startswith("sends "):
            Path(FILE).write_text(ask(tap, *DEED.split()[1:]))


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "hello":
        changed = {}
        if DEED.startswith("two-faced "):
            changed = json.loads(DEED.split(" ", 1)[1]) if os.path.exists(FILE) else {}
            Path(FILE).touch()
        return {**HELLO, **changed}
    if method == "connect":
        if DEED == "leaves-a-child":
            child = subprocess.Popen(["sleep", "300"], start_new_session=True)
            Path(FILE).write_text(str(child.pid))
        connect(params["url"], params["stream"])
        return {"instance": "abc123"}
    if method == "shutdown":
        if DEED == "dies":
            os.kill(os.getpid(), signal.SIGSEGV)
        if DEED == "lingers":
            time.sleep(60)
    return {"outcome": "fulfilled", "content": 1} if method == "send" else {}


for line in sys.stdin:
    call = json.loads(line)
    print(
        json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": answer(call["method"], call["params"])}), flush=True
    )
    if call["method"] == "shutdown":
        os._exit(3 if DEED == "exit-3" else 0)
