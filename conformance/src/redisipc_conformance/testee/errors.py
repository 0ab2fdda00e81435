"""The ways in which a call to the testee can fail."""

from __future__ import annotations

from typing import Any


class TesteeUnusable(Exception):
    """It cannot be started, or does not answer hello: no scenario makes sense. The message says what was seen."""


class TesteeRefused(Exception):
    """It answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data


class TesteeGone(Exception):
    """Its process ended while a call was outstanding, or before one. `how`: `exit status 1`, `signal 9`."""

    def __init__(self, how: str, call: str = "") -> None:
        super().__init__(f"the testee's process ended ({how})" + (f" while {call} was outstanding" if call else ""))
        self.how = how
        self.call = call


class TesteeBroke(Exception):
    """It sent a message that does not belong to the protocol."""
