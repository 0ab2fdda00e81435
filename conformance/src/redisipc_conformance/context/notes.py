"""The other lines of the transcript, besides the testee's commands: the runner's own commands, events, and steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..wire import resp

LONGEST_NOTE = 400
_QUOTED = re.compile(r'[ "\n\r\t]')


@dataclass(eq=False)
class Note:
    """One line. `at`: seconds of time.monotonic()."""

    at: float
    side: Literal["testee", "suite"]
    who: str
    text: str = ""
    reply: str = ""
    kind: Literal["command", "event", "step"] = "event"
    fate: str = ""
    args: Sequence[resp.Arg] = ()
    """The text of a command, made only when it is read."""
    answer: Any = None

    def told(self) -> tuple[str, str]:
        """The text and the reply."""
        if not self.args:
            return self.text, self.reply
        return command(self.args), self.reply or reply(self.answer)


def word(arg: resp.Arg) -> str:
    """One argument of a command."""
    raw = resp.to_bytes(arg)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = repr(raw)[2:-1]
    if len(text) > LONGEST_NOTE:
        text = f"{text[:LONGEST_NOTE]}...({len(raw)} bytes)"
    if not text or _QUOTED.search(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r") + '"'
    return text


def command(args: Sequence[resp.Arg]) -> str:
    return " ".join(map(word, args))


def reply(value: Any) -> str:
    """A reply, in one line."""
    text = _reply(value)
    return text if len(text) <= 2 * LONGEST_NOTE else f"{text[: 2 * LONGEST_NOTE]}..."


def _reply(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, resp.ErrorReply):
        return f"(error) {value.text}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (bytes, str)):
        return word(value)
    return "[" + ", ".join(map(_reply, value)) + "]"
