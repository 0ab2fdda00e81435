"""A stand-in for an endpoint of the Ruby gem redis_ipc 1.0.2, which writes what the gem writes, command by command.

SPEC.md, appendix A, describes how the gem deviates; ``interop/fixtures/exchanges`` has recordings of it. The stand-in
is quicker than the gem: it reacts when an entry comes, and does not poll every few milliseconds.
"""

from __future__ import annotations

import json
import random
from typing import Any

from redisipc.protocol.content import encode
from redisipc.protocol.entry import FIELDS, PENDING, STATUSES, Entry, build
from redisipc.protocol.names import Names, new_request_id

from .peer import Peer
from .server import Server

STREAM_EXPIRES = 604_800_000
PRUNES = 30_000
"""Milliseconds after which it deletes an idle consumer of its group (GEM-6)."""


class Gem(Peer):
    """A ``Peer`` with these differences. If a function raises, its request gets no answer (GEM-3). A text that is JSON is
    sent unchanged, and arrives as another type (GEM-5). An answer is three commands (GEM-24). A response whose instance has
    no list is acknowledged, and stays in the stream (GEM-4). One consumer takes one request at a time (GEM-21). ``leave``
    does not delete its consumers (GEM-33)."""

    kind = "gem"

    def __init__(self, server: Server, group: str, stream: str | None) -> None:
        self._running: set[bytes] = set()
        super().__init__(server, group, stream)

    def _join(self, names: Names) -> None:
        rows = self._run("XINFO", "CONSUMERS", names.stream, names.group)
        for row in rows:
            if row[5] > PRUNES:
                self._run("XGROUP", "DELCONSUMER", names.stream, names.group, row[1])
        self._run("DEL", names.registration)
        self._run("XGROUP", "CREATECONSUMER", names.stream, names.group, names.consumer)
        self._run("LPOS", names.registration, names.consumer, "RANK", "1")
        self._run("LPUSH", names.registration, names.consumer)
        self._run("XGROUP", "CREATECONSUMER", names.stream, names.group, names.dispatcher)
        self._run("LRANGE", names.registration, "0", "-1")
        self._run("XINFO", "CONSUMERS", names.stream, names.group)

    def _deregister(self, names: Names) -> None:
        self._run("LPOS", names.registration, names.consumer, "RANK", "1")
        self._run("LREM", names.registration, "0", names.consumer)

    def _look(self, names: Names) -> None:
        """Its dispatcher: one entry at a time."""
        self._run("EXPIRE", names.registration, "100")
        self._run("EXPIRE", names.stream, str(STREAM_EXPIRES))
        while True:
            read = self._read(names, names.dispatcher, b">")
            if not read:
                return
            entry = _as_the_gem_reads(*read[0])
            if entry is None:
                # GEM-1
                continue
            if entry.destination_group == names.group:
                self._assign(names, entry)
            else:
                self._run("XACK", names.stream, names.group, entry.entry_id)

    def _assign(self, names: Names, entry: Entry) -> None:
        instance = names.instance if entry.status == PENDING else entry.instance_id
        listed = self._run("LRANGE", names.registration_of(instance), "0", "-1")
        self._run("XINFO", "CONSUMERS", names.stream, names.group)
        if type(listed) is not list or not listed:
            # GEM-4
            self._run("XACK", names.stream, names.group, entry.entry_id)
            return
        self._run("XCLAIM", names.stream, names.group, listed[-1], "0", entry.entry_id)
        if instance == names.instance and names.stream not in self._running:
            self._consume(names)

    def _consume(self, names: Names) -> None:
        """Its consumer: the first entry of its list."""
        while (rows := self._read(names, names.consumer, b"0")) and rows[0][1] is not None:
            entry = _as_the_gem_reads(*rows[0])
            if entry is None:
                return
            if entry.status == PENDING:
                self._running.add(names.stream)
                self._serve(names, entry)
                return
            self._settle(names, entry.entry_id, True)
            if entry.id in self._asked:
                self._heard(entry)

    def _read(self, names: Names, consumer: bytes, start: bytes) -> list[Any]:
        read = self._run("XREADGROUP", "GROUP", names.group, consumer, "COUNT", "1", "STREAMS", names.stream, start)
        return read[0][1] if type(read) is list else []

    def _send(self, names: Names, id: bytes, text: bytes, to: str) -> bytes:
        # GEM-32: without NOMKSTREAM.
        fields = build(id, names.instance, PENDING, text, names.group, to.encode())
        stored: bytes = self._run("XADD", names.stream, "*", *fields)
        return stored

    def _withdraw(self, names: Names, entry_id: bytes) -> None:
        self._settle(names, entry_id, True)

    def _write(self, names: Names, entry: Entry, status: bytes, text: bytes) -> None:
        fields = build(entry.id, entry.instance_id, status, text, names.group, entry.source_group)
        self._run("XADD", names.stream, "*", *fields)
        self._done(names, entry)

    def _raised(self, names: Names, entry: Entry, error: Exception) -> None:
        self._done(names, entry)

    def _never(self, names: Names, entry: Entry) -> None:
        self._done(names, entry)

    def _done(self, names: Names, entry: Entry) -> None:
        self._settle(names, entry.entry_id, True)
        self._running.discard(names.stream)
        self._server.errands.append(lambda: self._consume(names))

    def _encode(self, content: Any) -> bytes:
        if isinstance(content, str):
            # GEM-5
            return content.encode()
        try:
            return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        except (TypeError, ValueError):
            return encode(content)


def _as_the_gem_reads(entry_id: bytes, raw: list[bytes]) -> Entry | None:
    """An entry in any order of its fields; None, if the gem drops it (GEM-1)."""
    about = dict(zip(raw[0::2], raw[1::2], strict=True))
    # GEM-2
    about.setdefault(b"id", new_request_id(random.SystemRandom()).encode())
    about.setdefault(b"status", PENDING)
    if set(about) != set(FIELDS) or about[b"status"] not in STATUSES:
        return None
    return Entry(entry_id, *(about[name] for name in FIELDS))
