"""The story of one request: everything that was said and done about it, in order, with what went wrong around it."""

from __future__ import annotations

from typing import Any, NamedTuple

from redisipc.protocol.commands import Command

from .ports import ActorPort


class Line(NamedTuple):
    """``keys``: ids and entry IDs that it is about; none for what concerns everybody."""

    time: float
    who: str
    text: str
    keys: frozenset[bytes]


class Story:
    """Collects lines while a world runs; ``tell`` picks those about one request."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def line(self, time: float, who: ActorPort | str | None, text: str, *keys: bytes) -> None:
        self.lines.append(Line(time, _name(who), text, frozenset(keys)))

    def commands(self, time: float, who: ActorPort | None, verb: str, commands: list[Command]) -> None:
        for command in commands:
            keys = _keys(list(command))
            if keys:
                self.lines.append(Line(time, _name(who), f"{verb}: {show(command)}", keys))

    def replies(self, time: float, who: ActorPort | None, commands: list[Command], replies: list[Any]) -> None:
        for command, reply in zip(commands, replies, strict=True):
            rows = reply if isinstance(reply, list) and reply and isinstance(reply[0], list) else [reply]
            about = _keys(list(command)) if len(rows) == 1 else frozenset()
            for row in rows:
                if command[0] == "XRANGE" and len(command) > 4 and row and who and _instance(who) not in row[1]:
                    # A last look passes by the entries of everybody else.
                    continue
                keys = about | _keys(row)
                if keys:
                    self.lines.append(Line(time, _name(who), f"hears: {show(command)} -> {row!r}", keys))

    def read(self, time: float, who: ActorPort | None, answer: Any) -> None:
        rows = answer[0][1] if isinstance(answer, list) else [answer]
        for row in rows:
            self.lines.append(Line(time, _name(who), f"reads {row!r}", _keys(row)))

    def tell(self, keys: set[bytes], start: float, end: float) -> list[str]:
        """The lines about any of ``keys``, and between ``start`` and ``end`` those that concern everybody."""
        told: list[str] = []
        for line in self.lines:
            if line.keys & keys or (not line.keys and start <= line.time <= end):
                text = line.text if len(line.text) <= 300 else line.text[:300] + " ..."
                told.append(f"{line.time:10.4f}  {line.who:<12} {text}")
        return told


def _instance(who: ActorPort) -> bytes:
    return who.endpoint.instance.encode()


def _name(who: ActorPort | str | None) -> str:
    if who is None or isinstance(who, str):
        return who or ""
    return f"{who.record.group}/{who.record.number}:{who.endpoint.instance}"


def show(command: Command) -> str:
    return " ".join(part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in command)


def _keys(value: Any) -> frozenset[bytes]:
    """Everything in a command or reply that could be an id or an entry ID."""
    found: set[bytes] = set()
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, (list, tuple)):
            stack.extend(item)
        elif isinstance(item, bytes) and (
            (len(item) == 21 and item.isalnum()) or (item.partition(b"-")[0].isdigit() and b"-" in item)
        ):
            found.add(item)
    return frozenset(found)
