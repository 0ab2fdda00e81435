"""A stand-in for the Ruby gem redis_ipc 1.0.2, with its habits: one look, no keep-alive, a prune, three writes an answer.

SPEC.md, appendix A. It is as quick as Redis: its commands take no time, and its loops turn every few milliseconds.
"""

from __future__ import annotations

import random
from typing import Any

from redisipc.protocol.commands import Failure
from redisipc.protocol.entry import FIELDS, build
from redisipc.protocol.names import Names, new_instance_id, new_request_id
from redisipc.testing.redis_model import Client

from .history import Ask, Process, Run
from .ports import WorldPort

TURN = 0.02
"""Seconds that its loops take."""
PRUNES = 30_000
RECLAIMS = 10_000
"""Milliseconds of idle time after which it deletes a consumer, and takes an entry over."""
CONSUMERS = 2


class Gem:
    """One process with one dispatcher and two consumers, each of which runs one request at a time."""

    def __init__(self, world: WorldPort, record: Process, source: random.Random) -> None:
        self.world = world
        self.schedule = world.schedule
        self.record = record
        self.random = source
        self.alive = True
        self.names = Names.of(world.stream.decode(), record.group, new_instance_id(source))
        self.client = Client()
        self.consumers = [b"consumer_%b_%d" % (self.names.instance, n) for n in range(CONSUMERS)]
        self.dispatcher = b"dispatcher_%b_0" % self.names.instance
        self._busy: set[bytes] = set()
        self._ledger: dict[bytes, Ask] = {}

    # a process

    def start(self) -> None:
        names, run = self.names, self._run
        self.record.up_at = self.schedule.now
        run("XGROUP", "CREATE", names.stream, names.group, "$", "MKSTREAM")
        self._prune()
        for consumer in [self.dispatcher, *self.consumers]:
            run("XGROUP", "CREATECONSUMER", names.stream, names.group, consumer)
        for consumer in self.consumers:
            run("LPUSH", names.registration, consumer)
        self.world.watch.numbers[names.group, names.instance] = self.record.number
        self.schedule.after(TURN, self._turn)

    def crash(self) -> None:
        if self.alive:
            self.record.crashed_at = self.schedule.now
            self.alive = False
            self.world.note(None, f"the gem of process {self.record.number} dies")

    def do(self, action: Any, *arguments: Any) -> None:
        if self.alive:
            action(*arguments)

    def pump(self) -> None:
        """Everything happens at once."""

    def _run(self, *command: Any) -> Any:
        if not self.world.server.up:
            return Failure("LOST", "LOST no server")
        self.world.executing = -1
        return self.world.server.model.run(self.client, [command])[0]

    def _prune(self) -> None:
        """GEM-6"""
        names = self.names
        rows = self._run("XINFO", "CONSUMERS", names.stream, names.group)
        for row in [] if isinstance(rows, Failure) else rows:
            if row[5] > PRUNES:
                self.world.history.struck["gem pruned a consumer"] += 1
                self._run("XGROUP", "DELCONSUMER", names.stream, names.group, row[1])

    # asking

    def send(self, ask: Ask) -> bool:
        names, now = self.names, self.schedule.now
        ask.id = new_request_id(self.random).encode()
        ask.sent_at, ask.deadline = now, now + ask.timeout
        self.world.history.by_id[ask.id] = ask
        text = b"%d" % ask.number
        fields = build(ask.id, names.instance, b"pending", text, names.group, ask.destination.encode())
        self._ledger[ask.id] = ask
        stored = self._run("XADD", names.stream, "*", *fields)
        self.schedule.at(ask.deadline, self._give_up, ask, stored)
        return True

    def _give_up(self, ask: Ask, stored: Any) -> None:
        if self.alive and self._ledger.pop(ask.id, None) is not None:
            if isinstance(stored, bytes):
                self._run("XDEL", self.names.stream, stored)
            self._outcome(ask, "timeout", None)

    def _outcome(self, ask: Ask, status: str, content: bytes | None) -> None:
        ask.outcomes.append(self.schedule.now)
        ask.status, ask.content = status, content

    # its loops

    def _turn(self) -> None:
        if not self.alive:
            return
        if self.world.server.up:
            self._dispatch()
            for consumer in self.consumers:
                if consumer not in self._busy:
                    self._consume(consumer)
        self.schedule.after(TURN * self.random.uniform(0.8, 1.2), self._turn)

    def _dispatch(self) -> None:
        names = self.names
        self._run("EXPIRE", names.registration, 100)
        claimed = self._run("XAUTOCLAIM", names.stream, names.group, self.dispatcher, RECLAIMS, "0-0", "COUNT", 1)
        rows = [] if isinstance(claimed, Failure) else [row for row in claimed[1] if row]
        for _ in range(10):
            read = self._run(
                "XREADGROUP", "GROUP", names.group, self.dispatcher, "COUNT", 1, "STREAMS", names.stream, ">"
            )
            if isinstance(read, Failure) or not read or not read[0][1]:
                break
            rows += read[0][1]
        for id, raw in rows:
            self._assign(id, raw)

    def _assign(self, id: bytes, raw: list[bytes] | None) -> None:
        names = self.names
        if raw is None or raw[0::2] != FIELDS:
            return
        fields = dict(zip(raw[0::2], raw[1::2], strict=True))
        if fields[b"destination_group"] != names.group:
            self._run("XACK", names.stream, names.group, id)
            return
        mine = fields[b"status"] == b"pending"
        instance = names.instance if mine else fields[b"instance_id"]
        listed = self._run("LRANGE", names.registration_of(instance), 0, -1)
        if isinstance(listed, Failure) or not listed:
            # GEM-4
            self._run("XACK", names.stream, names.group, id)
            return
        idle = [consumer for consumer in listed if consumer not in self._busy] or listed
        self._run("XCLAIM", names.stream, names.group, idle[-1], 0, id)

    def _consume(self, consumer: bytes) -> None:
        names = self.names
        read = self._run("XREADGROUP", "GROUP", names.group, consumer, "COUNT", 1, "STREAMS", names.stream, "0")
        if isinstance(read, Failure) or not read[0][1]:
            return
        id, raw = read[0][1][0]
        if raw is None:
            return
        fields = dict(zip(raw[0::2], raw[1::2], strict=True))
        if fields[b"status"] == b"pending":
            self._start(consumer, id, fields)
            return
        self._run("XACK", names.stream, names.group, id)
        self._run("XDEL", names.stream, id)
        ask = self._ledger.pop(fields[b"id"], None)
        if ask is not None:
            self._outcome(ask, fields[b"status"].decode(), fields[b"content"])

    def _start(self, consumer: bytes, id: bytes, fields: dict[bytes, bytes]) -> None:
        ask = self.world.history.asks[int(fields[b"content"].partition(b" ")[0])]
        ask.runs.append(Run(self.schedule.now, self.record.number, 1, id, 0.0))
        self.world.history.struck["request run by a gem"] += 1
        self._busy.add(consumer)
        number = len(ask.runs)
        self.schedule.after(
            0.001 if ask.kind == "quick" else ask.duration, self._end, consumer, id, fields, ask, number
        )

    def _end(self, consumer: bytes, id: bytes, fields: dict[bytes, bytes], ask: Ask, number: int) -> None:
        self._busy.discard(consumer)
        if not self.alive:
            return
        names = self.names
        if ask.kind not in ("silent", "reject"):
            # GEM-3: one that fails is settled, and its requester times out. GEM-24: three commands.
            content = b"[%d,%d]" % (ask.number, number)
            answer = build(
                fields[b"id"], fields[b"instance_id"], b"fulfilled", content, names.group, fields[b"source_group"]
            )
            self._run("XADD", names.stream, "*", *answer)
        self._run("XACK", names.stream, names.group, id)
        self._run("XDEL", names.stream, id)
