"""The reasons that a requester gets when a handler failed, or when an endpoint rejects by itself."""

from __future__ import annotations

import re
from typing import Any

from redisipc.errors import Reject, ReportedError
from redisipc.protocol.reasons import ReasonCode, reason, shortened

_NUMBER = re.compile(r"^\[Errno -?\d+\] ")


class OwnRejection(Reject):
    """An endpoint rejects by itself: ``content`` is the whole reason, and ``reason_code`` its registered word."""

    def __init__(self, reason_code: ReasonCode, content: str) -> None:
        super().__init__(content)
        self.reason_code = reason_code

    content: Any


def text_of(error: BaseException) -> str:
    """The text of an exception, or its type where it has none (RIPC-RESP-8)."""
    try:
        text = str(error).encode("utf-8", "replace").decode()
    except BaseException:  # its __str__ is code of the user
        text = ""
    return text if text.strip() else type(error).__name__


def without_number(reason: str) -> str:
    """The text of an error of the operating system, without the number that Python puts before it."""
    return _NUMBER.sub("", reason)


def described(error: BaseException) -> str:
    """Type and text of an exception, for a message: its ``repr`` is for programmers."""
    kind, text = type(error).__name__, text_of(error)
    return kind if text == kind else f"{kind}: {text}"


def raised_by(what: str, raised: BaseException) -> ReportedError:
    """The report of a function of the user, for which nobody waits, that raised."""
    error = ReportedError(f"{what} raised {type(raised).__name__}: {shortened(text_of(raised))}", kind="callback")
    error.__cause__ = raised
    return error


def crash(error: BaseException, text: str, request_id: str, expose: str) -> str:
    """The reason for a handler that failed, as ``expose_errors`` says. Never a stack trace (RIPC-RESP-24)."""
    kind = type(error).__name__
    if expose == "text":
        said = kind if text == kind else f"{kind}: {shortened(text)}"
    elif expose == "type":
        said = f"{kind}; request {request_id}"
    else:
        said = f"request {request_id}"
    return reason(ReasonCode.HANDLER_FAILED, said)
