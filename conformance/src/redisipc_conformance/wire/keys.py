"""Finds the keys of a command. They decide whether it works on a Redis Cluster."""

from __future__ import annotations

from collections.abc import Sequence

_ALL = frozenset({b"DEL", b"UNLINK", b"EXISTS", b"TOUCH", b"MGET", b"WATCH", b"RENAME", b"RENAMENX", b"RPOPLPUSH"})
_TWO = frozenset({b"LMOVE", b"COPY", b"SMOVE", b"BRPOPLPUSH", b"BLMOVE"})
_BUT_THE_LAST = frozenset({b"BLPOP", b"BRPOP"})
_SECOND = frozenset({b"XGROUP", b"XINFO", b"OBJECT", b"MEMORY"})
_COUNTED = frozenset({b"EVAL", b"EVALSHA", b"EVAL_RO", b"EVALSHA_RO", b"FCALL", b"FCALL_RO"})
_NONE = frozenset(
    b"ACL AUTH CLIENT CLUSTER COMMAND CONFIG DBSIZE DISCARD ECHO EXEC HELLO INFO KEYS LOLWUT MULTI PING PSUBSCRIBE PUBLISH "
    b"PUNSUBSCRIBE QUIT READONLY READWRITE RESET ROLE SCAN SCRIPT SELECT SUBSCRIBE TIME UNSUBSCRIBE UNWATCH WAIT".split()
)


def keys_of(args: Sequence[bytes]) -> list[bytes]:
    """The keys in the command `args`. An unknown command is assumed to have its key in the usual place, the first."""
    name = args[0].upper()
    if name in _NONE or len(args) < 2:
        return []
    if name in _ALL:
        return list(args[1:])
    if name in _TWO:
        return list(args[1:3])
    if name in _BUT_THE_LAST:
        return list(args[1:-1])
    if name in _SECOND:
        return list(args[2:3])
    if name in _COUNTED:
        return list(args[3 : 3 + int(args[2])]) if len(args) > 2 and args[2].isdigit() else []
    if name == b"MSET":
        return list(args[1::2])
    if name in (b"XREAD", b"XREADGROUP"):
        at = next((i for i, arg in enumerate(args) if arg.upper() == b"STREAMS"), len(args))
        rest = args[at + 1 :]
        return list(rest[: len(rest) // 2])
    return [args[1]]
