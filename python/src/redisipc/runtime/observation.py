"""The argument of an observer: one thing that happened to a request, or to a handler."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["send_started", "send_ended", "run_started", "run_ended", "redelivered", "lost", "refused"]


class Observation(NamedTuple):
    """One event of a request or of a handler. It never holds content.

    ``kind``:

    - ``"send_started"``, ``"send_ended"``: an own request. At its end, ``status`` is that of the ``Response``.
    - ``"run_started"``, ``"run_ended"``: a handler. ``status`` is ``"fulfilled"``, ``"rejected"``, or empty where the handler
      did not answer.
    - ``"redelivered"``: the handler starts for a request that may have been started before.
    - ``"lost"``: the answer of a handler is no longer needed; ``reason`` says why.
    - ``"refused"``: this endpoint rejects a request by itself; ``code`` says why.

    ``group`` is the other group, ``at`` the time in Unix seconds, ``seconds`` the duration of the request or handler
    that ended. ``code`` is the code of a rejection or the diagnosis of a timeout.
    """

    kind: Kind
    request_id: str
    group: str
    at: float
    seconds: float = 0.0
    status: str = ""
    code: str | None = None
    reason: str = ""
