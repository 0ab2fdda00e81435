"""Each row of the requester's states (SPEC.md, section 8), driven: what is written to Redis after the event, and the outcome."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from redisipc.protocol.commands import Command, Failure
from redisipc.protocol.events import Finished, Outgoing

from ..support_core import Hand
from ..support_tables import machine

ROWS = {row["id"]: row for row in machine("requester")["transitions"]}
REFUSED = Failure("NOPERM", "NOPERM this user has no permissions to run the 'xadd' command")
NO_MEMORY = Failure("OOM", "OOM command not allowed when used memory > 'maxmemory'.")
IGNORED = (
    "MULTI",
    "EXEC",
    "XREADGROUP",
    "XINFO",
    "XPENDING",
    "EXPIRE",
    "LRANGE",
    "TIME",
    "XGROUP",
    "LREM",
    "LPUSH",
    "INFO",
    "SET",
)
"""The commands that an endpoint sends at these moments for other reasons: polls, looks, its registration."""


class Sent:
    """One send of 5 s."""

    def __init__(self) -> None:
        self.hand = Hand().up()
        self.send: Outgoing = self.hand.endpoint.send(b"1", "stock", 5.0, self.hand.now)

    def wait(self, seconds: float) -> None:
        self.hand.now += seconds
        self.hand.endpoint.tick(self.hand.now)

    def response(self) -> None:
        self.hand.read(self.hand.response(self.send.id))

    @property
    def outcomes(self) -> list[str]:
        self.hand.drain()
        return [event.outcome.status for event in self.hand.events if isinstance(event, Finished)]

    def after(self) -> list[str]:
        """The commands until 0.1 s later, those of the batch under way included; entry IDs by what they are."""
        if self.hand.under_way is not None:
            self.hand.finish()
        self.hand.pass_time(0.1)
        commands = [command for command in [*self.hand.begun, *self.hand.sent] if command[0] not in IGNORED]
        return [name(command, self.send) for command in commands]


def name(command: Command, send: Outgoing) -> str:
    of = {send.entry_id: "<request>", send.floor: "<floor>"}
    marks = [part for part in command[1:] if isinstance(part, bytes) and b"-" in part and part[-1:].isdigit()]
    own = [of.get(mark.lstrip(b"("), "<response>") for mark in marks]
    return " ".join([str(command[0]), *(own if command[0] != "XADD" else [])])


def queued(_sent: Sent, _event: str) -> None:
    """As it was made."""


def sending(sent: Sent, _event: str) -> None:
    sent.hand.begin()


def waiting(sent: Sent, _event: str) -> None:
    sent.hand.begin()
    sent.hand.finish()


def unsure(sent: Sent, _event: str) -> None:
    sent.hand.begin()
    sent.hand.lose()
    sent.hand.pass_time(1.0)


def looking(sent: Sent, event: str) -> None:
    sent.hand.begin()
    if event in ("stored", "unknown", "not stored", "refused"):
        sent.wait(5.0)
        return
    sent.hand.finish()
    sent.wait(5.0)
    sent.hand.begin()


FROM: dict[str, Callable[[Sent, str], None]] = {
    "queued": queued, "sending": sending, "waiting": waiting, "unsure": unsure, "looking": looking
}  # fmt: skip
DO: dict[str, Callable[[Sent], object]] = {
    "written": lambda sent: sent.hand.begin(),
    "stored": lambda sent: sent.hand.finish(),
    "unknown": lambda sent: sent.hand.lose(),
    "not stored": lambda sent: sent.hand.finish(XADD=NO_MEMORY),
    "refused": lambda sent: sent.hand.finish(XADD=REFUSED),
    "response": lambda sent: sent.response(),
    "deadline": lambda sent: sent.wait(5.0),
    "cancel": lambda sent: sent.hand.endpoint.cancel(sent.send, sent.hand.now),
    "nothing found": lambda sent: sent.hand.finish(),
    "limit": lambda sent: sent.wait(0.6),
    "connection lost": lambda sent: sent.hand.lose(),
}


def no_group(sent: Sent) -> None:
    sent.hand.groups.clear()
    sent.hand.pass_time(1.5)


DO["no group"] = no_group


FOLLOWED_AT_ONCE = {"looking-unknown": "looking-connection-lost"}
"""The look goes the way of the `XADD`: the same connection has both."""
AFTER: dict[str, tuple[str, list[str]]] = {
    "queued-written": ("", ["XADD"]),
    "sending-stored": ("", []),
    "sending-unknown": ("", []),
    "sending-not-stored": ("", []),
    "sending-response": ("fulfilled", ["XACK <response>", "XDEL <response> <request>"]),
    "waiting-response": ("fulfilled", ["XACK <response>", "XDEL <response>"]),
    "waiting-no-group": ("no responders", ["XDEL <request>"]),
    "unsure-response": ("fulfilled", ["XACK <response>", "XDEL <response>"]),
    "queued-deadline": ("timeout", []),
    "sending-deadline": ("", ["XRANGE <floor>", "XDEL <request>"]),
    "waiting-deadline": ("", ["XDEL <request>", "XRANGE <request>", "XDEL <request>"]),
    "unsure-deadline": ("", ["XRANGE <floor>"]),
    "looking-stored": ("", ["XRANGE <floor>", "XDEL <request>"]),
    "looking-unknown": ("timeout", ["XRANGE <floor>"]),
    "looking-not-stored": ("timeout", ["XRANGE <floor>"]),
    "looking-response": ("fulfilled", ["XACK <response>", "XDEL <response>"]),
    "looking-nothing-found": ("timeout", ["XDEL <request>"]),
    "queued-cancel": ("cancelled", []),
    "sending-cancel": ("cancelled", ["XRANGE <floor>", "XDEL <request>"]),
    "waiting-cancel": ("cancelled", ["XDEL <request>"]),
    "unsure-cancel": ("cancelled", ["XRANGE <floor>"]),
    "looking-cancel": ("cancelled", ["XDEL <request>"]),
    "sending-refused": ("failed", []),
    "looking-refused": ("failed", ["XRANGE <floor>"]),
    "looking-limit": ("timeout", []),
    "looking-connection-lost": ("timeout", ["XDEL <request> <request>"]),
}
"""The outcome right after the event, and what is written then."""


@pytest.mark.parametrize("id", ROWS)
def test_the_core_goes_as_the_row_says(id: str) -> None:
    row = ROWS[id]
    sent = Sent()
    FROM[row["from"]](sent, row["event"])
    assert sent.send.state == row["from"]
    assert sent.outcomes == []
    sent.hand.begun.clear()
    sent.hand.sent.clear()
    DO[row["event"]](sent)
    assert sent.send.state == ROWS[FOLLOWED_AT_ONCE.get(id, id)]["to"]
    assert ("".join(sent.outcomes), sent.after()) == AFTER[id]
