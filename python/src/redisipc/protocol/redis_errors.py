"""Classes of Redis' error replies: what each means to an endpoint (SPEC.md, section 13)."""

from __future__ import annotations

import enum

from .commands import Failure


class ErrorClass(enum.Enum):
    """Classes of section 13. ``UNKNOWN`` is treated as ``OUTAGE``."""

    GROUP_LOST = "group lost"
    OUTAGE = "outage"
    NO_MEMORY = "no memory"
    NO_WRITES = "no writes"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


GROUP_LOST, OUTAGE, NO_MEMORY, NO_WRITES, PERMANENT, UNKNOWN = ErrorClass

_WORDS: dict[str, ErrorClass] = {
    "NOGROUP": GROUP_LOST,
    "UNBLOCKED": GROUP_LOST,
    "LOADING": OUTAGE,
    "READONLY": OUTAGE,
    "MASTERDOWN": OUTAGE,
    "CLUSTERDOWN": OUTAGE,
    "TRYAGAIN": OUTAGE,
    "MOVED": OUTAGE,
    "ASK": OUTAGE,
    "BUSY": OUTAGE,
    "LOST": OUTAGE,
    "OOM": NO_MEMORY,
    "MISCONF": NO_WRITES,
    "NOREPLICAS": NO_WRITES,
    "NOPERM": PERMANENT,
    "NOAUTH": PERMANENT,
    "WRONGPASS": PERMANENT,
    "WRONGTYPE": PERMANENT,
}
GROUP_LOST_WORDS = frozenset(word for word, kind in _WORDS.items() if kind is GROUP_LOST)
_GROUP_LOST_TEXTS = ("ERR no such key", "ERR The XGROUP subcommand requires the key to exist")


def class_of(failure: Failure) -> ErrorClass:
    """The class of an error reply, by its first word; ``ERR`` says more in the rest of its text."""
    kind = failure.kind
    if kind == "EXECABORT":
        # Some servers give the reason only here, if the error came after the commands were queued.
        kind = failure.message.partition("because of: ")[2].partition(" ")[0]
    found = _WORDS.get(kind)
    if found is not None:
        return found
    return GROUP_LOST if failure.message.startswith(_GROUP_LOST_TEXTS) else UNKNOWN


_NOT_UNDERSTOOD = (
    "err unknown command",
    "err unknown subcommand",
    "err syntax error",
    "err wrong number of arguments",
    "err invalid stream id",
)
"""How a server's errors about an unknown command or option begin, in lower case."""


def advice_about_version(message: str) -> str:
    """Advice if Redis does not understand a command, after a semicolon. Otherwise empty."""
    if not message.lower().startswith(_NOT_UNDERSTOOD):
        return ""
    if message.lower().startswith("err unknown command 'x"):
        return (
            "; RedisIPC needs Redis 6.2 or later, or Valkey, with all commands: `redisipc doctor` shows the version. "
            "If this is a Sentinel, name the master in its place"
        )
    return "; RedisIPC needs Redis 6.2 or later, or Valkey, with all commands: `redisipc doctor` shows the version"


def advised(failure: Failure) -> str:
    """The text of a refusal, with advice if there is any."""
    return f"{clause(failure.message)}{advice_about_version(failure.message)}"


def clause(message: str) -> str:
    """A text of Redis without its full stop: a semicolon follows."""
    return message.rstrip(". ")


PASSING = frozenset((GROUP_LOST, OUTAGE, NO_MEMORY, NO_WRITES))
"""Classes that end by themselves: refused work is kept and tried again (RIPC-REQ-14, RIPC-RESP-15)."""

FOR_GOOD = frozenset((PERMANENT, UNKNOWN))
"""Classes that do not: a send that is refused so fails, and an answer is not repeated for ever (RIPC-REQ-14, RIPC-RESP-25)."""


def is_group_lost(failure: Failure) -> bool:
    return class_of(failure) is GROUP_LOST


def is_permanent(failure: Failure) -> bool:
    return class_of(failure) is PERMANENT
