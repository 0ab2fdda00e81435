"""Reasons of rejections: the registered words, how an endpoint writes one, and how a requester reads it.

A reason that an endpoint makes itself begins with its word (RIPC-RESP-22). A program rejects with a code of its own in an
object (RIPC-RESP-23). A gem gives both to its user as they are.
"""

from __future__ import annotations

import enum
from typing import Any


class ReasonCode(str, enum.Enum):
    """Why an endpoint rejects by itself: the registered words of SPEC.md, section 19. Equal to the strings."""

    OVERLOADED = "overloaded"
    NO_HANDLER = "no_handler"
    TOO_OLD = "too_old"
    GIVEN_UP = "given_up"
    CLOSING = "closing"
    HANDLER_FAILED = "handler_failed"
    NOT_ENCODABLE = "not_encodable"
    INVALID_PARAMS = "invalid_params"
    UNSUPPORTED_EVENT = "unsupported_event"

    def __str__(self) -> str:
        return self.value


UNSUPPORTED_EVENT = "Unsupported event. Given "
"""The gem's text in place of a word (RIPC-CHAN-11)."""
MALFORMED_EVENT = "Malformed event data. Expected Hash, got "
"""The gem's text in place of a word (RIPC-CHAN-12)."""
BEGINNINGS: dict[str, ReasonCode] = {
    **{f"{code}: ": code for code in ReasonCode if code is not ReasonCode.UNSUPPORTED_EVENT},
    UNSUPPORTED_EVENT: ReasonCode.UNSUPPORTED_EVENT,
    MALFORMED_EVENT: ReasonCode.INVALID_PARAMS,
}
"""How a reason begins, and its code."""
LONGEST_REASON = 1000
"""The most characters of a text that the user did not write, such as that of an exception."""


def reason(code: ReasonCode, text: str) -> str:
    """The text that an endpoint writes when it rejects by itself (RIPC-RESP-22)."""
    return f"{code}: {text}"


def shortened(text: str) -> str:
    """At most ``LONGEST_REASON`` characters, and how many there were."""
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}... ({len(text)} characters)"


def read(content: Any) -> tuple[str | None, str | None, Any]:
    """The code, the message and the data of a rejection's content; None each where it has none (RIPC-RESP-22, RIPC-RESP-23)."""
    if isinstance(content, str):
        found = next((code for start, code in BEGINNINGS.items() if content.startswith(start)), None)
        return found and found.value, content, None
    error = content.get("error") if isinstance(content, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(code, str) or not code:
        return None, None, None
    message = error.get("message")
    return code, message if isinstance(message, str) else None, error.get("data")


class EachSecond:
    """Lets one report of a kind pass in a second, and counts the others. ``kind`` is one of a few words."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, int]] = {}

    def take(self, kind: str, now: float) -> int | None:
        """How many were held back since the last one that passed. None: this one is held back, too."""
        since, held = self._held.get(kind, (now - 1.0, 0))
        if now - since < 1.0:
            self._held[kind] = since, held + 1
            return None
        self._held[kind] = now, 0
        return held


def more(held: int) -> str:
    """The part of a report that says how many were held back before it."""
    return f" ({held} more like this since the last report)" if held else ""
