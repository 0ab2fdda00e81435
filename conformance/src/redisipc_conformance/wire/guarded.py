"""Commands that would change the server for all its users. No endpoint needs one, and the tap refuses them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from . import resp
from .address import Address
from .exchange import Exchange
from .fault import Fault
from .pattern import Pattern
from .slot import Slot

REFUSED = frozenset(
    b"FLUSHALL FLUSHDB SHUTDOWN CONFIG DEBUG SWAPDB REPLICAOF SLAVEOF FAILOVER MODULE ACL MONITOR MIGRATE "
    b"SAVE BGSAVE BGREWRITEAOF SYNC PSYNC".split()
)
"""Names of commands."""
OF_CLIENTS = frozenset({b"KILL", b"PAUSE", b"UNPAUSE", b"NO-EVICT"})
"""Words of CLIENT that touch the connections of others, or the server's memory."""
READS = frozenset({(b"CONFIG", b"GET"), (b"ACL", b"WHOAMI"), (b"ACL", b"CAT"), (b"MODULE", b"LIST")})
"""Also refused, but not a fault: many client libraries send them, and many servers refuse them."""
_REFUSAL = "ERR refused by the conformance suite: this command would change the server for everybody"


def is_refused(args: Sequence[bytes]) -> bool:
    """Whether the tap answers this command itself, with an error."""
    name = args[0].upper()
    return name in REFUSED or (name == b"CLIENT" and len(args) > 1 and args[1].upper() in OF_CLIENTS)


def to_blame(args: Sequence[bytes]) -> bool:
    """Whether a refused command breaks RIPC-REDIS-2 or worse."""
    words = tuple(word.upper() for word in args[:2])
    return words not in READS


def answer() -> Fault:
    """The error that the tap gives instead of Redis' reply."""
    return Fault(Pattern(()), "error", text=_REFUSAL)


def greet(transport: asyncio.Transport, upstream: Address, number: int) -> list[Slot]:
    """Sends Redis the password, which the testee does not know. Returns the replies to drop.

    If Redis refuses it, the replies to the next commands show that.
    """
    slots = []
    for words in upstream.greeting()[:1] if upstream.username or upstream.password else ():
        args = [word.encode() for word in words]
        transport.write(resp.encode_command(args))
        slots.append(Slot(Exchange(number, args, time.monotonic()), swallow=True))
    return slots
