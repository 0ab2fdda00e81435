"""What goes over the wire, as Redis itself sees it: the commands on one stream, as lines for people."""

from __future__ import annotations

import ast
import os
import re
import sys
import threading
from collections.abc import Callable
from typing import Any, cast

import redis

QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
COLOURS = {"pending": "36", "fulfilled": "32", "rejected": "31", "quiet": "2", "bold": "1"}


def paint(text: str, colour: str) -> str:
    """Coloured where that is seen by somebody: on a terminal, and not with NO_COLOR."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{COLOURS[colour]}m{text}\033[0m"


def parse(line: str) -> tuple[float, str, list[str]]:
    """A line of MONITOR: when (seconds), from which address, and the words of the command."""
    head, _, rest = line.partition("] ")
    seconds, _, where = head.partition(" [")
    words = [ast.literal_eval(f'b"{word}"').decode("utf-8", "replace") for word in QUOTED.findall(rest)]
    return float(seconds), where.partition(" ")[2], words


class Wire(threading.Thread):
    """Follows MONITOR, and prints each entry that is added to the stream, and what becomes of it."""

    def __init__(self, url: str, stream: str, say: Callable[[str], Any] = print) -> None:
        super().__init__(daemon=True)
        self.entries = 0
        self._client = cast(Any, redis.Redis.from_url(url, decode_responses=True, socket_timeout=None))
        self._names: dict[str, str] = {}
        self._stream = stream
        self._say = say
        self._first: float | None = None
        self._monitor = self._client.monitor()
        self._monitor.__enter__()

    def run(self) -> None:
        while True:
            try:
                line = self._monitor.connection.read_response()
            except (OSError, ValueError, redis.RedisError):
                return  # it was closed
            at, address, words = parse(line)
            if len(words) > 1 and self._stream in words[1:3]:
                self._show(at, address, words)

    def restart_clock(self) -> None:
        """The next line is at 0 ms."""
        self._first = None

    def _show(self, at: float, address: str, words: list[str]) -> None:
        command = words[0].upper()
        if command == "XADD" and self._first is None:
            self._first = at
        ms = 1000 * (at - (self._first or at))
        if command == "XADD":
            fields = words[words.index("*") + 1 :]
            entry = dict(zip(fields[::2], fields[1::2], strict=True))
            self.entries += 1
            self._names[address] = entry["source_group"]
            route = f"{entry['source_group']} -> {entry['destination_group']}"
            status = paint(f"{entry['status']:<9}", entry["status"])
            self._say(f"{ms:8.1f} ms  {route:<16}  {status}  {entry['content']}")
            self._say(paint(f"{'':13}id {entry['id']}, instance {entry['instance_id']}", "quiet"))
        elif command in ("XACK", "XDEL"):
            done = "acknowledges" if command == "XACK" else "deletes"
            ids = words[3:] if command == "XACK" else words[2:]
            self._say(paint(f"{ms:8.1f} ms  {self._who(address)} {done} {', '.join(ids)}", "quiet"))

    def _who(self, address: str) -> str:
        """The group that a connection belongs to, by its name in CLIENT LIST."""
        if address not in self._names:
            for row in self._client.client_list():
                self._names[row["addr"]] = row["name"].split(":")[1] if ":" in row["name"] else ""
        return self._names.get(address) or address
