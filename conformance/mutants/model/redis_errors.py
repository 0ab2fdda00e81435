"""Classes of error replies by their first words (the table of section 13)."""

from __future__ import annotations

from .resp import RedisError

NO_MEMORY = frozenset(("OOM",))
NO_WRITES = frozenset(("MISCONF", "NOREPLICAS"))
REFUSAL = NO_MEMORY | NO_WRITES
PERMANENT = frozenset(("NOPERM", "NOAUTH", "WRONGPASS", "WRONGTYPE"))
_GROUP_LOST = frozenset(("NOGROUP", "UNBLOCKED"))
_GROUP_LOST_TEXTS = ("ERR no such key", "ERR The XGROUP subcommand requires the key to exist")
_OUTAGE = frozenset(("LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "MOVED", "ASK"))


def is_unknown(error: RedisError) -> bool:
    """Whether no row of the table has it."""
    if error.kind == "EXECABORT":
        error = RedisError(str(error).partition("because of: ")[2])
    return error.kind not in REFUSAL | PERMANENT | _OUTAGE and not is_group_lost(error)


def is_group_lost(error: RedisError) -> bool:
    """Whether the group or the stream is gone."""
    return error.kind in _GROUP_LOST or str(error).startswith(_GROUP_LOST_TEXTS)
