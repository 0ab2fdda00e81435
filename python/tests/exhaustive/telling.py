"""How commands and their replies are shown: one line each, without those that say nothing about the requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from redisipc.protocol.commands import Command, Failure

_QUIET = frozenset(("TIME", "INFO", "EXPIRE", "SET", "GET", "PUBLISH", "LPUSH", "LREM", "LRANGE", "MULTI"))
"""Commands that are not shown unless they fail."""
_QUIET_ACTIONS = frozenset(("CREATECONSUMER", "CONSUMERS", "GROUPS"))

Show = Callable[[Any], str]


def told(commands: Sequence[Command], replies: Sequence[Any], show: Show) -> Iterator[str]:
    """The lines about a batch."""
    queued: list[Command] = []
    for command, reply in zip(commands, replies, strict=True):
        name = command[0]
        if name == "MULTI" and not isinstance(reply, Failure):
            queued = []
        elif name == "EXEC":
            if isinstance(reply, list):
                yield from told(queued, reply, show)
            else:
                yield f"EXEC -> {show(reply)}"
        elif reply == b"QUEUED":
            queued.append(command)
        elif _worth_it(command, reply):
            yield f"{_short(command, show)} -> {_answer(command, reply, show)}"


def told_read(reply: Any, show: Show) -> str:
    """The line about a blocking read that returned."""
    if isinstance(reply, Failure):
        return reply.kind
    return _answer(("XREADGROUP",), reply, show) if reply else "nothing"


def _worth_it(command: Command, reply: Any) -> bool:
    if isinstance(reply, Failure):
        return command[0] != "PUBLISH"
    if command[0] in _QUIET or (len(command) > 1 and command[1] in _QUIET_ACTIONS):
        return False
    if command[0] == "XREADGROUP":
        return bool(reply and reply[0][1])
    return True


def _short(command: Command, show: Show) -> str:
    if command[0] == "XADD":
        given = [part.decode() if isinstance(part, bytes) else str(part) for part in command]
        fields = dict(zip(given[4::2], given[5::2], strict=True))
        return f"XADD {fields['status']}, {fields['source_group']} to {fields['destination_group']}"
    return show(tuple(part for part in command if part != b"s"))


def _answer(command: Command, reply: Any, show: Show) -> str:
    if isinstance(reply, Failure):
        return reply.kind
    if command[0] == "XRANGE":
        return show([row[0] for row in reply or []])
    if command[0] == "XREADGROUP":
        return show([row[0] for row in reply[0][1]])
    return show(reply)
