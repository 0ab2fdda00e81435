"""The state machines of SPEC.md: of a request that was sent, and of one that was received.

State and event give the next state. Every change of state goes through them. They are those of
``schemas/1.0/tables/states.json``, which the tests compare row by row.
"""

from __future__ import annotations

from .events import Incoming

SENT: dict[tuple[str, str], str] = {
    ("queued", "written"): "sending",
    ("sending", "stored"): "waiting",
    ("sending", "unknown"): "unsure",
    ("sending", "not stored"): "queued",
    ("sending", "response"): "finished",
    ("waiting", "response"): "finished",
    ("waiting", "no group"): "finished",
    ("unsure", "response"): "finished",
    ("queued", "deadline"): "finished",
    ("sending", "deadline"): "looking",
    ("waiting", "deadline"): "looking",
    ("unsure", "deadline"): "looking",
    ("looking", "stored"): "looking",
    ("looking", "unknown"): "looking",
    ("looking", "not stored"): "finished",
    ("looking", "response"): "finished",
    ("looking", "nothing found"): "finished",
    ("looking", "limit"): "finished",
    ("looking", "connection lost"): "finished",
    ("queued", "cancel"): "finished",
    ("sending", "cancel"): "finished",
    ("waiting", "cancel"): "finished",
    ("unsure", "cancel"): "finished",
    ("looking", "cancel"): "finished",
    ("sending", "refused"): "finished",
    ("looking", "refused"): "finished",
}
"""``Outgoing.state``: see ``requester.py``."""

RECEIVED: dict[tuple[str, str], str] = {
    ("queued", "start"): "running",
    ("queued", "check"): "checking",
    ("queued", "give back"): "gone",
    ("queued", "overload"): "answering",
    ("queued", "gone"): "gone",
    ("checking", "exists"): "running",
    ("checking", "gone"): "gone",
    ("checking", "not known"): "queued",
    ("checking", "give back"): "gone",
    ("running", "answer"): "answering",
    ("running", "gone"): "gone",
    ("answering", "answered"): "gone",
    ("answering", "not answered"): "answering",
    ("answering", "unknown"): "unsure",
    ("answering", "gone"): "gone",
    ("unsure", "still pending"): "answering",
    ("unsure", "gone"): "gone",
}
"""``Incoming.state``: see ``responder.py`` and ``answers.py``."""


def advance(incoming: Incoming, event: str) -> None:
    """KeyError: this event is impossible in this state, so the library has a defect."""
    incoming.state = RECEIVED[incoming.state, event]
