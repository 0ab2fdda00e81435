"""The faults of Redis and of connections, by name. Part of ``Hub``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from redisipc.calls import explained
from redisipc.errors import ConfigurationError
from redisipc.protocol.commands import Command

from .commands import OWN
from .connection import Connection
from .redis_model.data import Stream
from .redis_model.model import HANDLERS
from .server import Server


class Fate(NamedTuple):
    """The next command ``word`` of ``group`` (None: of anybody) breaks its connection: ``before`` or ``after`` it is done."""

    word: str
    group: str | None
    when: str


@explained
class Faults:
    """The faults of a hub. Each takes effect at once, and ends with ``mend`` or with its ``with`` block."""

    server: Server

    # Redis as a whole

    def crash(self) -> None:
        """Redis is down: all connections break, and new ones are refused until ``restart``."""
        with self.server.lock:
            self.server.journal.note("Redis", "crashes")
            self.server.up = False
            self.server.break_all("Redis crashed")

    def restart(self, *, empty: bool = False) -> None:
        """Redis is up again, with its data, or ``empty``."""
        with self.server.lock:
            self.server.journal.note("Redis", f"is back{', and empty' if empty else ''}")
            if not self.server.up and empty:
                for model in self.server.models.values():
                    model.become({}, {})
            self.server.up = True
            self.server.revive()

    @contextmanager
    def down(self, *, empty: bool = False) -> Iterator[None]:
        """Redis is down in the block."""
        self.crash()
        try:
            yield
        finally:
            self.restart(empty=empty)

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Redis does not answer in the block: connections stay open, and it executes nothing before the end of the block."""
        with self.server.lock:
            self.server.journal.note("Redis", "stands still")
            self.server.paused = True
        try:
            yield
        finally:
            with self.server.lock:
                self.server.journal.note("Redis", "goes on")
                self.server.paused = False
                for connection in list(self.server.connections.values()):
                    connection.work()
                self.server.flush()

    @contextmanager
    def out_of_memory(self) -> Iterator[None]:
        """In the block, Redis refuses commands that need memory, with OOM."""
        with self._refusing("maxmemory", "1", "has no memory left"):
            yield

    @contextmanager
    def no_writes(self) -> Iterator[None]:
        """In the block, Redis refuses every write, with NOREPLICAS."""
        with self._refusing("min-replicas-to-write", "1", "takes no writes"):
            yield

    def flush(self) -> None:
        """Delete all keys, as FLUSHALL does: streams, groups and lists."""
        with self.server.lock:
            self.server.journal.note("Redis", "is flushed")
            self.server.empty()
            self.server.flush()

    @contextmanager
    def fail_over(self) -> Iterator[None]:
        """At the end of the block a replica takes over. It has none of the writes of the block."""
        with self.server.lock:
            saved = {number: model.copy_keys() for number, model in self.server.models.items()}
        try:
            yield
        finally:
            with self.server.lock:
                lost = sum(
                    _newest(model.keys) != _newest(saved.get(n, ({}, {}))[0]) for n, model in self.server.models.items()
                )
                self.server.journal.note("Redis", f"fails over to a replica{' that lags behind' if lost else ''}")
                self.server.up = False
                self.server.break_all("Redis failed over")
                for number, model in self.server.models.items():
                    model.become(*saved.get(number, ({}, {})))
                self.server.up = True
                self.server.revive()

    # connections

    def cut(self, group: str | None = None) -> int:
        """Break all connections, or those of ``group``, and return how many. Clients may connect again at once.

        Raises ``ConfigurationError`` for a group that was never there.
        """
        with self.server.lock:
            self._check_there(group)
            mine = [one for one in self.server.connections.values() if group in (None, one.group)]
            for connection in mine:
                self.server.journal.note(connection.who, "is cut off")
                connection.break_off("the connection was cut")
            return len(mine)

    def cut_before(self, word: str, group: str | None = None) -> None:
        """Break the connection that next sends the command ``word`` (``"XADD"``) from ``group``, before Redis executes it."""
        self._arm(Fate(word.upper(), group, "before"))

    def cut_after(self, word: str, group: str | None = None) -> None:
        """Break the connection that next sends the command ``word`` from ``group``, after Redis executed it: no reply comes."""
        self._arm(Fate(word.upper(), group, "after"))

    def kill(self, group: str) -> None:
        """Let the present instances of ``group`` seem to have crashed: Redis gets nothing from them until ``mend``."""
        with self.server.lock:
            there = sorted({one.group for one in self.server.connections.values()} - {""})
            if group not in there:
                raise ConfigurationError(
                    f"no member of group {group!r} is connected; connected are {', '.join(there) or 'none'}"
                )
            for connection in [one for one in self.server.connections.values() if one.group == group]:
                self.server.banned.add(connection.who)
                self.server.journal.note(connection.who, "dies")
                connection.break_off("this instance is dead, as far as Redis knows")

    def mend(self) -> None:
        """End all faults. Those that have not struck are forgotten, and killed instances may connect again."""
        with self.server.lock:
            self.server.fates.clear()
            self.server.banned.clear()

    def unstruck(self) -> list[str]:
        """The faults of ``cut_before`` and ``cut_after`` that are still armed, because no such command came."""
        with self.server.lock:
            return [
                f"cut_{fate.when}({fate.word!r}{f', {fate.group!r}' if fate.group else ''}) did not strike: no such command came"
                for fate in self.server.fates
            ]

    # parts

    def _check_there(self, group: str | None) -> None:
        """A group that connects again at this moment has no connection, but its name on a stream. Hold the lock."""
        there = {one.group for one in self.server.connections.values()} - {""}
        there |= {
            name.decode("utf-8", "replace")
            for model in self.server.models.values()
            for key in model.keys.values()
            if isinstance(key, Stream)
            for name in key.groups
        }
        if group is not None and group not in there:
            raise ConfigurationError(f"group {group!r} was never here; here are {', '.join(sorted(there)) or 'none'}")

    def _arm(self, fate: Fate) -> None:
        if fate.word not in HANDLERS and fate.word not in OWN:
            near = difflib.get_close_matches(fate.word, [*HANDLERS, *OWN], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"the word must be a command of Redis, such as XADD, got {fate.word!r}{hint}")
        with self.server.lock:
            self.server.fates.append(fate)
            if self._strike not in self.server.judges:
                # From now on every command is checked. Without a fault, none is, which saves time.
                self.server.judges.append(self._strike)

    def _strike(self, connection: Connection, command: Command) -> str:
        return fate_of(self.server, connection, command) if self.server.fates else ""

    @contextmanager
    def _refusing(self, name: str, value: str, text: str) -> Iterator[None]:
        with self.server.lock:
            self.server.journal.note("Redis", text)
            before, self.server.settings[name] = self.server.settings[name], value
            self.server.settle()
        try:
            yield
        finally:
            with self.server.lock:
                self.server.settings[name] = before
                self.server.settle()


def fate_of(server: Server, connection: Connection, command: Command) -> str:
    """Whether an armed fault hits this command. Hold the lock."""
    words = {str(command[0])}
    queue = connection.client.queue
    if queue is not None:
        # Queued commands are executed with EXEC.
        words = {str(queued[0]) for queued in queue} if command[0] == "EXEC" else set()
    for fate in server.fates:
        if fate.word in words and fate.group in (None, connection.group):
            server.fates.remove(fate)
            server.journal.note(connection.who, f"is cut off {fate.when} its {fate.word}")
            return str(fate.when)
    return ""


def _newest(keys: dict[bytes, Any]) -> list[tuple[int, int]]:
    return [value.last for value in keys.values() if isinstance(value, Stream)]
