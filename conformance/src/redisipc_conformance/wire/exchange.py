"""One command that went through the tap, and its reply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import resp

NO_REPLY_YET = object()


@dataclass
class Exchange:
    """One command and its reply. Times are seconds of time.monotonic()."""

    connection: int
    args: list[bytes]
    sent: float
    replied: float | None = None
    reply: Any = None
    multi: int | None = None
    result: Any = NO_REPLY_YET
    fate: str = ""
    refusal: resp.ErrorReply | None = None
    """Of a command in a MULTI: the error that EXEC has for it, whatever Redis did in its place."""
    members: list[Exchange] = field(default_factory=list)
    """Of an EXEC: the commands of its MULTI."""

    @property
    def name(self) -> bytes:
        return self.args[0].upper() if self.args else b""

    @property
    def done(self) -> bool:
        """Whether Redis executed it: its reply is not an error. For a queued command, the EXEC's reply counts."""
        return self.result is not NO_REPLY_YET and not isinstance(self.result, resp.ErrorReply)

    @property
    def answered(self) -> bool:
        return self.result is not NO_REPLY_YET
