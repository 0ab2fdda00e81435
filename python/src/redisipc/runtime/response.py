"""The outcome of a request for its caller: the other side's answer, or the reason why there is none."""

from __future__ import annotations

import reprlib
from typing import Any, Literal

from redisipc.calls import explained_methods
from redisipc.errors import (
    HandlerFailed,
    NoResponders,
    Rejected,
    RequestCancelled,
    RequestError,
    RequestFailed,
    RequestTimeout,
)
from redisipc.protocol.content import decode
from redisipc.protocol.events import Outcome, Outgoing
from redisipc.protocol.reasons import ReasonCode, read

_ERRORS: dict[str, type[RequestError]] = {
    "timeout": RequestTimeout,
    "no responders": NoResponders,
    "cancelled": RequestCancelled,
    "closed": RequestCancelled,
    "failed": RequestFailed,
}

_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 200


@explained_methods
class Response:
    """The outcome of a request: fulfilled or rejected.

    If fulfilled, ``value`` is the answer and ``reason`` is None. If rejected, ``value`` is None and ``reason`` is the other
    side's reason. If there was no answer, ``reason`` is the error that explains it: ``RequestTimeout``,
    ``RequestCancelled`` (also when the endpoint was closed) or ``RequestFailed``. ``result()`` returns the value or raises.
    """

    __slots__ = ("_about", "reason", "request_id", "status", "value")

    status: Literal["fulfilled", "rejected"]

    def __init__(self, status: Literal["fulfilled", "rejected"], content: Any, about: dict[str, Any]) -> None:
        self.status = status
        self.value: Any = content if status == "fulfilled" else None
        self.reason: Any = content if status == "rejected" else None
        self.request_id: str = about.get("request_id", "")
        self._about = about

    @property
    def fulfilled(self) -> bool:
        """Whether there is a ``value``."""
        return self.status == "fulfilled"

    @property
    def rejected(self) -> bool:
        """Whether there is a ``reason``, and no ``value``."""
        return self.status == "rejected"

    @property
    def timed_out(self) -> bool:
        """Whether there was no answer in time."""
        return isinstance(self.reason, RequestTimeout)

    @property
    def code(self) -> str | None:
        """The code of the rejection, for programs; see ``Rejected.code``."""
        return read(self.reason)[0]

    @property
    def elapsed(self) -> float:
        """Seconds from sending to the outcome."""
        elapsed: float = self._about.get("elapsed", 0.0)
        return elapsed

    def result(self) -> Any:
        """Return the value, or raise ``Rejected``, ``RequestTimeout``, ``RequestCancelled`` or ``RequestFailed``."""
        if self.status == "fulfilled":
            return self.value
        if isinstance(self.reason, RequestError):
            raise self.reason
        code, text, data = read(self.reason)
        kind = HandlerFailed if code == ReasonCode.HANDLER_FAILED else Rejected
        raise kind(self.reason, code=code, data=data, text=text, **self._about)

    def __bool__(self) -> bool:
        """Whether the request was fulfilled, whatever the value is."""
        return self.fulfilled

    def __repr__(self) -> str:
        # Error trackers print local variables: the content of an answer must not appear there (SPEC.md, section 16).
        shown = kind_of(self.value) if self.fulfilled else self._told()
        return f"<Response {self.status}: {shown}>"

    def _told(self) -> str:
        """The error, or the text of the other side's reason; never its data."""
        told = self.reason if isinstance(self.reason, RequestError) else read(self.reason)[1]
        return kind_of(self.reason) if told is None else _SHOWN.repr(told)


def kind_of(content: Any) -> str:
    """A content's kind and size, without the content itself."""
    if content is None or isinstance(content, (bool, int, float)):
        return type(content).__name__
    return f"{type(content).__name__} of {len(content)}"


def response_of(outgoing: Outgoing, outcome: Outcome, stream: str, now: float) -> Response:
    """The response for an outcome of the core."""
    about: dict[str, Any] = {
        "request_id": outgoing.id.decode(),
        "group": outgoing.destination,
        "stream": stream,
        "elapsed": now - outgoing.sent_at,
    }
    if outcome.content is not None:
        return Response("fulfilled" if outcome.status == "fulfilled" else "rejected", decode(outcome.content), about)
    error = _ERRORS[outcome.status](f"{outcome.reason}; request {about['request_id']}", **about)
    if isinstance(error, RequestTimeout) and outcome.diagnosis is not None:
        error.diagnosis = str(outcome.diagnosis)
    return Response("rejected", error, about)
