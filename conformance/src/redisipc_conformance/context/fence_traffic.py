"""Finds commands that the testee sent only because of the runner's fences. No scenario sees them."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from ..wire.tap import Exchange


def visible(exchanges: Sequence[Exchange], noise: AbstractSet[bytes]) -> list[Exchange]:
    """All commands except those that only a fence caused."""
    if not noise:
        return list(exchanges)
    transactions = {
        e.multi
        for e in exchanges
        if e.name == b"EXEC" and e.members and all(_noise(member, noise) for member in e.members)
    }
    return [
        e
        for e in exchanges
        if not _noise(e, noise)
        and not (e.name in (b"MULTI", b"EXEC") and (e.multi in transactions) and e.multi is not None)
    ]


def _noise(exchange: Exchange, noise: AbstractSet[bytes]) -> bool:
    """Whether a command names fences and no other entry."""
    named = [arg for arg in exchange.args[1:] if arg in noise]
    if not named:
        return False
    if exchange.name == b"XADD":
        return True
    return all(arg in noise for arg in exchange.args[2:] if _is_entry_id(arg))


def _is_entry_id(arg: bytes) -> bool:
    first, dash, second = arg.partition(b"-")
    return bool(dash) and first.isdigit() and second.isdigit() and len(first) > 8
