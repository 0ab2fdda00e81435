"""A caller that does one thing at a time, with its testee: what docs/requester-in-one-page.md says, and nothing else.

It shares no code with the model or the suite, and has under 150 lines. ``blocking_caller.py FAULT`` is wrong in one way."""

from __future__ import annotations

import json
import math
import re
import secrets
import socket
import sys
import time
from typing import Any
from urllib.parse import urlsplit

FAULTS = set(sys.argv[1:])
HELLO = {"name": "blocking", "version": "0", "language": "python", "profiles": ["ask"], "features": [], "serial": True}
NAMES = [b"id", b"instance_id", b"status", b"content", b"source_group", b"destination_group"]
LIKE_JSON = re.compile(r'[ \t\r\n]*[{\["\-0-9tfn/]')


class Redis:
    """A connection that repeats nothing."""

    def __init__(self, url: str) -> None:
        self.link = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port or 6379), 0.5)
        self.file, self.end = self.link.makefile("rwb"), 0.0

    def send(self, *args: Any) -> None:
        self.link.settimeout(max(0.0, self.end - time.monotonic()) + 0.5)
        parts = [each if isinstance(each, bytes) else str(each).encode() for each in args]
        self.file.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts))
        self.file.flush()

    def reply(self) -> Any:
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise ValueError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    def call(self, *args: Any) -> Any:
        self.send(*args)
        return self.reply()


def encode(value: Any) -> str:
    if isinstance(value, str) and not LIKE_JSON.match(value):
        return value
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if depth(text.encode().decode()) > 100:
        raise ValueError("deeper than 100 levels")
    return text


def decode(raw: bytes) -> Any:
    text = raw.decode(errors="replace")
    try:
        value = json.loads(raw.decode(), parse_constant=lambda name: float("no JSON: " + name))
        json.dumps(value, ensure_ascii=False).encode()
        whole = re.sub(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..", "", text)
        return text if depth(text) > 100 or re.search(r"(?<!\\)(\\\\)*\\u[dD][89a-fA-F]", whole) else value
    except (ValueError, RecursionError):
        return text


def depth(text: str) -> int:
    level = most = 0
    for each in re.sub(r'"(\\.|[^"\\])*"', "", text):
        level += (each in "[{") - (each in "]}")
        most = max(most, level)
    return most


def checked(name: str, timeout: Any) -> float:
    if not name.strip():
        raise ValueError("a name must not be blank")
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise ValueError(f"a timeout must be a number of seconds above 0, not {timeout!r}")
    return float(timeout)


class Caller:
    def __init__(self, url: str, stream: str, timeout: Any) -> None:
        self.url, self.stream, self.timeout, self.me = url, stream, checked(stream, timeout), secrets.token_hex(3)
        self.redis: Redis | None = None

    def ask(self, to: str, content: Any, timeout: Any = None) -> tuple[str, Any]:
        end = time.monotonic() + checked(to, self.timeout if timeout is None else timeout)
        try:
            self.redis = self.redis or Redis(self.url)
            self.redis.end = end
            return self._ask(self.redis, to, encode(content), end)
        except OSError:
            self.redis = None
            if time.monotonic() < end:
                raise
            return "timeout", None

    def _ask(self, redis: Redis, to: str, text: str, end: float) -> tuple[str, Any]:
        values = (id := secrets.token_hex(11)[:21], self.me, "pending", text, f"caller:{self.me}", to)
        pairs = [part for pair in zip(NAMES, values, strict=True) for part in pair]
        own = redis.call("XADD", self.stream, *([] if "makes-the-stream" in FAULTS else ["NOMKSTREAM"]), "*", *pairs)
        if own is None:
            raise ValueError("there is no such stream")
        last, found = own, None
        while found is None and (left := end - time.monotonic()) > 0:
            block = max(1, min(5000, int(left * 1000)))
            read = redis.call("XREAD", "COUNT", 100, "BLOCK", block, "STREAMS", self.stream, last)
            found, last = self.its(read[0][1] if read else [], id, last)
        if found is None:
            redis.send("XDEL", self.stream, "0-1" if "leaves-its-request" in FAULTS else own)
            redis.send("XRANGE", self.stream, b"(" + last, "+", "COUNT", 100)
            redis.reply()
            page, until = redis.reply(), time.monotonic() + 0.5
            found, last = self.its(page, id, last)
            while found is None and len(page) == 100 and time.monotonic() < until:
                page = redis.call("XRANGE", self.stream, b"(" + last, "+", "COUNT", 100)
                found, last = self.its(page, id, last)
        if found is None:
            return "timeout", None
        if "leaves-its-response" not in FAULTS:
            redis.call("XDEL", self.stream, last)
        return found[b"status"].decode(), decode(found[b"content"])

    def its(self, page: list[Any], id: str, last: bytes) -> tuple[dict[bytes, bytes] | None, bytes]:
        for last, raw in page:
            entry = dict(zip(raw[0::2], raw[1::2], strict=True))
            whole = len(raw) == 12 and sorted(entry) == sorted(NAMES) and entry[b"source_group"]
            mine = whole and (entry[b"id"], entry[b"instance_id"]) == (id.encode(), self.me.encode())
            here = mine and ("for-anybody" in FAULTS or entry[b"destination_group"] == f"caller:{self.me}".encode())
            if here and entry[b"status"] in (b"fulfilled", b"rejected"):
                return entry, last
        return None, last


callers: dict[str, Caller] = {}


def answer(method: str, params: dict[str, Any]) -> Any:
    if method == "hello":
        return {"protocol": params["protocol"], "spec": ["1.0"], **HELLO}
    if method == "connect":
        if unknown := set(options := params.get("options", {})) - {"timeout"}:
            raise ValueError(f"unknown options {sorted(unknown)}")
        caller = callers[params["endpoint"]] = Caller(params["url"], params["stream"], options.get("timeout", 5))
        return {"instance": caller.me}
    if method == "send":
        to, content, caller = params["to"], params["content"], callers.get(params["endpoint"])
        assert caller is not None, "the endpoint is not connected"
        outcome, content = caller.ask(to, content, **{k: params[k] for k in params if k == "timeout"})
        return {"outcome": outcome, "content": content}
    if method == "disconnect":
        callers.pop(params["endpoint"])
    return {} if method in ("disconnect", "shutdown") else NotImplemented


if __name__ == "__main__":
    for line in sys.stdin:
        call, reply = json.loads(line), dict[str, Any]()
        try:
            result = answer(call["method"], call.get("params", {}))
            no_method = {"error": {"code": -32601, "message": "there is no such method"}}
            reply = no_method if result is NotImplemented else {"result": result}
        except KeyError as missing:
            reply = {"error": {"code": -32602, "message": f"{missing} is missing"}}
        except Exception as error:
            reply = {"error": {"code": -32000, "message": f"{type(error).__name__}: {error}"}}
        print(json.dumps({"jsonrpc": "2.0", "id": call["id"], **reply}), flush=True)
        if call["method"] == "shutdown":
            break
