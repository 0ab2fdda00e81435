"""A requester and responder that does one thing at a time, with its testee: the profile base as SPEC.md, section 17, allows.

While a handler runs, it reads nothing from Redis. It shares no code with the model or the suite.
``blocking_member.py FAULT`` is wrong in one way."""

from __future__ import annotations

import json
import os
import secrets
import select
import sys
import time
from typing import Any

from blocking_caller import FAULTS, NAMES, Redis, checked, decode, encode

HELLO = {"name": "blocking", "version": "0", "language": "python", "profiles": ["base"], "features": [], "serial": True}
BLOCK = 1000


class Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Request:
    def __init__(self, key: str, entry: bytes, fields: dict[bytes, bytes]) -> None:
        self.key, self.entry, self.fields, self.open = key, entry, fields, True


class Member:
    def __init__(
        self, handle: str, url: str, stream: str, group: str, timeout: float = 5.0, close_timeout: float = 5.0
    ) -> None:
        if group.startswith("caller:"):
            raise ValueError("the name belongs to callers")
        self.timeout, self.waiting, self.count = (
            checked(stream, timeout) and checked(group, timeout),
            list[Request](),
            0,
        )
        self.handle, self.stream, self.group, self.close_timeout = handle, stream, group, close_timeout
        self.reader, self.writer = Redis(url), Redis(url)
        self.running: Request | None = None
        self.asked: dict[bytes, Any] = {}
        self.reading = self.late = False
        self.loaded("XGROUP", "CREATE", stream, group, "$", "MKSTREAM")
        made = 0
        while made == 0:
            self.me = secrets.token_hex(3)
            made = self.loaded("XGROUP", "CREATECONSUMER", stream, group, f"dispatcher_{self.me}_0")
        self.read()

    def loaded(self, *command: Any) -> Any:
        """The reply, once Redis has loaded its data. The group may be there already."""
        end = time.monotonic() + 5
        while True:
            try:
                return self.write(*command)
            except ValueError as error:
                if str(error).startswith("BUSYGROUP"):
                    return None
                if not str(error).startswith("LOADING") or time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def write(self, *command: Any) -> Any:
        self.writer.end = time.monotonic() + 3
        if self.late:
            self.delete_late()
        return self.writer.call(*command)

    def delete_late(self) -> None:
        """The reply to an XADD comes after its send has ended: the request is deleted."""
        self.late = False
        if own := self.writer.reply():
            self.write("XDEL", self.stream, own)

    def read(self) -> None:
        if not self.reading:
            who = ("GROUP", self.group, f"dispatcher_{self.me}_0", "COUNT", 1, "BLOCK", BLOCK)
            self.reader.end = time.monotonic() + 5
            self.reader.send("XREADGROUP", *who, "STREAMS", self.stream, ">")
            self.reading = True

    def pump(self, seconds: float) -> None:
        """Routes what comes within that time."""
        self.read()
        if select.select([self.reader.link], [], [], max(0.0, seconds))[0]:
            self.reader.link.settimeout(3)
            page, self.reading = self.reader.reply(), False
            for entry, raw in page[0][1] if page else []:
                self.route(entry, raw)

    def settle(self, entry: bytes, delete: bool = True) -> None:
        self.write("XACK", self.stream, self.group, entry)
        if delete:
            self.write("XDEL", self.stream, entry)

    def route(self, entry: bytes, raw: list[bytes]) -> None:
        fields = dict(zip(raw[0::2], raw[1::2], strict=True))
        to = fields.get(b"destination_group", b"")
        if to not in (b"", self.group.encode()):
            return None if "keeps-others-pending" in FAULTS else self.settle(entry, delete=False)
        named = len(raw) == 12 and sorted(fields) == sorted(NAMES) and all(fields[n] for n in NAMES if n != b"content")
        if not named or fields[b"status"] not in (b"pending", b"fulfilled", b"rejected"):
            shown = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields.items()}
            notify(
                "error", endpoint=self.handle, kind="malformed", message=f"{entry.decode()} is malformed", fields=shown
            )
            return self.settle(entry, delete=bool(to))
        if fields[b"status"] == b"pending":
            self.count += 1
            return self.waiting.append(Request(f"r{self.count}", entry, fields))
        if fields[b"instance_id"] == self.me.encode() and self.asked.get(fields[b"id"], 0) is None:
            self.asked[fields[b"id"]] = fields
        return self.settle(entry)

    def serve(self) -> None:
        """Until a line comes, or a handler starts: then nothing is read until it has ended."""
        if self.waiting and self.running is None:
            request = self.running = self.waiting.pop(0)
            shown = {name.decode(): value.decode(errors="replace") for name, value in request.fields.items()}
            about = {"id": shown["id"], "source": shown["source_group"], "instance": shown["instance_id"]}
            about["content"] = decode(request.fields[b"content"])
            notify("received", endpoint=self.handle, request=request.key, **about)
        elif self.running is None:
            self.read()
            late = [self.writer.link] if self.late else []
            ready = select.select([sys.stdin.fileno(), self.reader.link, *late], [], [])[0]
            if self.writer.link in ready:
                self.delete_late()
            elif sys.stdin.fileno() not in ready:
                self.pump(0)
        else:
            select.select([sys.stdin.fileno()], [], [])

    def answer(self, request: Request, status: str, value: Any) -> None:
        if not request.open:
            raise ValueError("the request was answered before")
        request.open, self.running, failure = False, None, None
        try:
            text = encode(value)
        except ValueError as error:
            status, text, failure = "rejected", f"not_encodable: {error}", error
        values = (
            request.fields[b"id"],
            request.fields[b"instance_id"],
            status,
            text,
            self.group,
            request.fields[b"source_group"],
        )
        self.write("MULTI")
        self.write(
            "XADD", self.stream, "NOMKSTREAM", "*", *(part for pair in zip(NAMES, values, strict=True) for part in pair)
        )
        self.settle(request.entry)
        self.write("EXEC")
        if failure:
            raise failure

    def ended(self, request: Request) -> None:
        """Its handler has ended without an answer."""
        if request.open:
            request.open, self.running = False, None
            self.settle(request.entry)

    def ask(self, to: str, content: Any, timeout: Any = None) -> dict[str, Any]:
        end = time.monotonic() + checked(to, self.timeout if timeout is None else timeout)
        text, id = encode(content), secrets.token_hex(11)[:21].encode()
        self.asked[id] = None
        values = (id, self.me, "pending", text, self.group, to)
        parts = [part for pair in zip(NAMES, values, strict=True) for part in pair]
        try:
            if self.late:
                self.delete_late()
            self.writer.send("XADD", self.stream, "NOMKSTREAM", "*", *parts)
            self.late = not select.select([self.writer.link], [], [], max(0.0, end - time.monotonic()))[0]
            if not self.late and not (own := self.writer.reply()):
                raise ValueError("there is no such stream")
            while self.asked[id] is None and (left := end - time.monotonic()) > 0:
                self.pump(left)
        finally:
            response = self.asked.pop(id)
        if response is None:
            if not self.late:
                self.write("XDEL", self.stream, own)
            return {"outcome": "timeout", "content": None}
        return {"outcome": response[b"status"].decode(), "content": decode(response[b"content"])}

    def leave(self) -> None:
        end = time.monotonic() + self.close_timeout
        self.running = None
        while self.reading and time.monotonic() < end:
            if select.select([self.reader.link], [], [], BLOCK / 1000 + 0.2)[0]:
                page, self.reading = self.reader.reply(), False
                for entry, raw in page[0][1] if page else []:
                    self.route(entry, raw)
        for request in self.waiting:
            self.answer(request, "rejected", "closing: the responder disconnects")
        self.reader.link.close()
        self.writer.link.close()


members: dict[str, Member] = {}
requests: dict[str, Request] = {}


def notify(method: str, **params: Any) -> None:
    print(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}), flush=True)


def done(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "hello":
        return {"protocol": params["protocol"], "spec": ["1.0"], **HELLO}
    if method == "connect":
        if unknown := set(options := dict(params.get("options", {}))) - {"timeout", "close_timeout", "concurrency"}:
            raise ValueError(f"unknown options {sorted(unknown)}")
        if options.pop("concurrency", 1) != 1:
            raise ValueError("one handler runs at a time")
        member = Member(params["endpoint"], params["url"], params["stream"], params["group"], **options)
        members[params["endpoint"]] = member
        return {"instance": member.me}
    if method not in ("send", "disconnect", "shutdown", "fulfill", "reject", "raise", "ignore"):
        raise Refused(-32601, "there is no such method")
    if method == "shutdown":
        return {}
    member = members.get(params["endpoint"])
    if member is None:
        raise ValueError("the endpoint is not connected")
    if method == "disconnect":
        members.pop(params["endpoint"]).leave()
        return {}
    if method == "send":
        return member.ask(params["to"], params["content"], **{k: params[k] for k in params if k == "timeout"})
    current = member.running
    if current is None or current.key != params["request"]:
        raise ValueError("the request was answered before")
    if method in ("fulfill", "reject"):
        member.answer(current, f"{method}ed", params["content"])
    elif method == "raise":
        notify("error", endpoint=member.handle, kind="handler", message=params["message"])
        member.answer(current, "rejected", f"handler_failed: {params['message'] or 'RuntimeError'}")
    else:
        member.ended(current)
    return {}


def lines() -> Any:
    kept = b""
    while True:
        while b"\n" not in kept:
            for member in list(members.values()):
                member.serve()
            if not members or select.select([sys.stdin.fileno()], [], [], 0)[0]:
                if not (some := os.read(sys.stdin.fileno(), 1 << 20)):
                    return
                kept += some
        line, _, kept = kept.partition(b"\n")
        yield json.loads(line)


for call in lines():
    reply: dict[str, Any]
    try:
        reply = {"result": done(call["method"], call.get("params", {}))}
    except KeyError as missing:
        reply = {"error": {"code": -32602, "message": f"{missing} is missing"}}
    except Exception as error:
        reply = {"error": {"code": getattr(error, "code", -32000), "message": f"{type(error).__name__}: {error}"}}
    print(json.dumps({"jsonrpc": "2.0", "id": call["id"], **reply}), flush=True)
    if call["method"] == "shutdown":
        break
