"""MAXLEN and MINID: how XADD and XTRIM shorten a stream."""

from __future__ import annotations

from redisipc.protocol.commands import Command

from .arguments import Refused, entry_key, number, syntax, word
from .data import Key, Stream


class Trim:
    """The rest of a stream that stays: so many entries, or those from an ID on."""

    def __init__(self, entries: int | None, first: Key | None) -> None:
        self.entries = entries
        self.first = first

    def cut(self, stream: Stream) -> int:
        """Delete the surplus. Returns the number of deleted entries."""
        if self.first is not None:
            return stream.trim_below(self.first)
        assert self.entries is not None
        return stream.trim_to(self.entries)


def read_trim(command: Command, position: int) -> tuple[Trim, int]:
    """MAXLEN or MINID at ``position``, and the position of what follows it.

    A rough limit (``~``) is taken as an exact one: Redis may delete fewer entries, but need not.
    """
    kind, position = word(command[position]), position + 1
    rough = position < len(command) and word(command[position]) == "~"
    if rough or (position < len(command) and word(command[position]) == "="):
        position += 1
    if position >= len(command):
        raise syntax()
    if kind == "MAXLEN":
        most = number(command[position])
        if most < 0:
            raise Refused("ERR", "The MAXLEN argument must be >= 0.")
        trim = Trim(most, None)
    else:
        trim = Trim(None, entry_key(command[position]))
    position += 1
    if position + 1 < len(command) and word(command[position]) == "LIMIT":
        if not rough:
            raise Refused("ERR", "syntax error, LIMIT cannot be used without the special ~ option")
        number(command[position + 1])
        position += 2
    return trim, position
