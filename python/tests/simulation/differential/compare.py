"""One server against the model: the same commands, every reply compared as far as the model says something."""

from __future__ import annotations

import random
from typing import Any

from redisipc.protocol.commands import Command, Failure
from redisipc.protocol.replies import lookup
from redisipc.testing.redis_model import Client, Model, profile_for

from .generator import Generator
from .servers import version
from .wire import Wire

TOLERANCE = 2_000
"""Milliseconds by which idle times may differ."""
_INFO_KEYS = {
    "STREAM": (b"length", b"last-generated-id", b"groups"),
    "GROUPS": (b"name", b"consumers", b"pending", b"last-delivered-id"),
    "CONSUMERS": (b"name", b"pending", b"idle", b"inactive"),
}


class Difference(AssertionError):
    """The model is wrong about a command."""


class Comparison:
    """Runs ``commands`` random commands with one seed."""

    def __init__(self, wire: Wire, seed: int) -> None:
        self.wire = wire
        self.generator = Generator(random.Random(seed))
        redis, self.name = version(wire)
        self.clock = 0
        self.model = Model(profile_for(redis), lambda: self.clock)
        self.client = Client()
        self.seed = seed
        self.history: list[Command] = []

    def run(self, commands: int) -> int:
        self.wire.call("FLUSHALL")
        done = 0
        while done < commands:
            group = self.generator.next()
            done += len(group)
            self._together(group)
        return done

    def _together(self, group: list[Command]) -> None:
        self.wire.send([("TIME",), *group])
        seconds, micros = self.wire.receive()
        self.clock = int(seconds) * 1000 + int(micros) // 1000
        replies = [self.wire.receive() for _ in group]
        ours = self.model.run(self.client, self._with_times(group, replies))
        for command, real, mine in zip(group, replies, ours, strict=True):
            self.history.append(command)
            if command[0] == "EXEC" and isinstance(real, list):
                for inner, left, right in zip(group[1:-1], real, mine, strict=True):
                    self._check(inner, left, right)
            else:
                self._check(command, real, mine)
            if command[0] == "XADD" and isinstance(real, bytes) and real != b"QUEUED":
                self.generator.saw(real)
        if group[-1][0] == "EXEC" and isinstance(replies[-1], list):
            for command, reply in zip(group[1:-1], replies[-1], strict=True):
                if command[0] == "XADD" and isinstance(reply, bytes):
                    self.generator.saw(reply)

    def _with_times(self, group: list[Command], replies: list[Any]) -> list[Command]:
        """The model's clock is the server's: at the time of the ID that it made, in a transaction by that ID itself."""
        first = replies[0]
        if len(group) == 1:
            if group[0][0] == "XADD" and isinstance(first, bytes):
                self.clock = max(self.clock, min(int(first.partition(b"-")[0]), self.clock + 5000))
            return group
        results = replies[-1]
        if not isinstance(results, list):
            return group
        timed: list[Command] = []
        for command, result in zip(group[1:-1], results, strict=True):
            if command[0] == "XADD" and isinstance(result, bytes):
                at = command.index("*") if "*" in command else 2
                command = (*command[:at], result, *command[at + 1 :])
            timed.append(command)
        return [group[0], *timed, group[-1]]

    def _check(self, command: Command, real: Any, mine: Any) -> None:
        if not same(command, real, mine):
            recent = "\n  ".join(repr(line) for line in self.history[-12:])
            raise Difference(f"{self.name}, seed {self.seed}: {command}\n real {real}\n model {mine}\nlast\n  {recent}")


def same(command: Command, real: Any, mine: Any) -> bool:
    if isinstance(real, Failure) or isinstance(mine, Failure):
        return isinstance(real, Failure) and isinstance(mine, Failure) and real.kind == mine.kind
    if not isinstance(real, list) or not isinstance(mine, list):
        if command[0] == "TTL" and isinstance(real, int) and isinstance(mine, int):
            return abs(real - mine) <= 1
        return bool(real == mine)
    name = command[0]
    if name == "XINFO":
        keys = _INFO_KEYS[str(command[1])]
        if command[1] == "STREAM":
            return all(lookup(real, key) == lookup(mine, key) for key in keys)
        return len(real) == len(mine) and all(
            _close(lookup(left, key), lookup(right, key), key in (b"idle", b"inactive"))
            for left, right in zip(real, mine, strict=True)
            for key in keys
        )
    if name == "XPENDING" and len(command) > 3:
        return len(real) == len(mine) and all(
            left[:2] == right[:2] and left[3] == right[3] and _close(left[2], right[2], True)
            for left, right in zip(real, mine, strict=True)
        )
    return real == mine


def _close(real: Any, mine: Any, time: bool) -> bool:
    if time and isinstance(real, int) and isinstance(mine, int):
        if (real < 0) != (mine < 0):
            return False
        return abs(real - mine) <= TOLERANCE
    return bool(real == mine)
