"""The end of a request, in the words of the history."""

from __future__ import annotations

from typing import Any

from redisipc import (
    NoResponders,
    RedisIPCError,
    Rejected,
    RequestCancelled,
    RequestError,
    RequestFailed,
    RequestTimeout,
)

from .rows import Rows

STATUS = {NoResponders: "no responders", RequestTimeout: "timeout", RequestCancelled: "closed", RequestFailed: "failed"}


def answer_of(content: Any) -> list[int] | None:
    """The request that it answers, and the process and the run that answered: [ask, process, run]."""
    if isinstance(content, dict) and {"n", "p", "r"} <= content.keys():
        return [content["n"], content["p"], content["r"]]
    return None


class Endings:
    """Writes outcomes."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def value(self, number: int, value: Any) -> None:
        answer = answer_of(value)
        self._rows("outcome", number, "fulfilled", answer, "" if answer else repr(value)[:200])

    def error(self, number: int, error: BaseException) -> None:
        if isinstance(error, Rejected):
            answer = answer_of(error.content)
            self._rows("outcome", number, "rejected", answer, "" if answer else str(error.content)[:300])
            return
        status = next((word for kind, word in STATUS.items() if isinstance(error, kind)), "")
        if not status:
            ours = isinstance(error, RequestError | RedisIPCError)
            status = ("refused:" if ours else "raised:") + type(error).__name__
        self._rows("outcome", number, status, None, str(error)[:300])

    def cancelled(self, number: int) -> None:
        self._rows("outcome", number, "cancelled", None, "")
