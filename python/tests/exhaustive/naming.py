"""Members, consumers and entries by names that one can read in a story."""

from __future__ import annotations

import re
from typing import Any

from redisipc.protocol.commands import Failure

from .member import instance_id
from .state import NEVER

_LETTERS = "ABCDEFGH"
_LONGEST = 160


class Naming:
    """The names of one world. Entries get theirs while a story is written."""

    def __init__(self, members: int) -> None:
        self._members = {instance_id(number): number for number in range(members)}
        self.entries: dict[str, str] = {}

    def letter(self, member: int) -> str:
        return "nobody" if member == NEVER else _LETTERS[member]

    def member_of(self, consumer: bytes) -> int:
        """The member that a consumer belongs to, NEVER where it is nobody's here."""
        parts = consumer.split(b"_")
        return self._members.get(parts[1].decode(), NEVER) if len(parts) == 3 else NEVER

    def show(self, value: Any) -> str:
        text = _text(value)
        for instance, number in self._members.items():
            letter = _LETTERS[number]
            text = text.replace(f"dispatcher_{instance}_0", letter).replace(f"consumer_{instance}_0", f"c{letter}")
            text = text.replace(instance, letter)
        for entry, name in self.entries.items():
            text = text.replace(entry, name)
        return text if len(text) < _LONGEST else text[:_LONGEST] + " ..."


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Failure):
        return value.kind
    if isinstance(value, tuple):
        return " ".join(_text(part) for part in value)
    if isinstance(value, list):
        return "[" + ", ".join(_text(part) for part in value) + "]"
    return "nil" if value is None else re.sub(r"\s+", " ", str(value))
