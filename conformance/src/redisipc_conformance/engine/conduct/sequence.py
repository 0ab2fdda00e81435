"""Rules about the order of commands: an endpoint first makes its names and its list, and claims before it wakes."""

from __future__ import annotations

from collections import Counter

from ... import always
from ...wire import resp
from .actor import Actor, Found, add_of, instance_of


def breaches(actor: Actor) -> Found:
    """All of this endpoint, in the order in which its commands came."""
    if actor.caller or not actor.instances:
        return
    yield from _made(actor)
    yield from _registered(actor)
    yield from _groups(actor)
    yield from _woken(actor)


def _made(actor: Actor) -> Found:
    """A group that the endpoint itself makes has no consumers yet, so those that it made before are lost.

    What another member made again cannot be seen here.
    """
    made: set[tuple[bytes, ...]] = set()
    for exchange in actor.exchanges:
        args = exchange.args
        if exchange.name == b"XGROUP" and len(args) == 5 and args[1].upper() == b"CREATECONSUMER":
            made.add((args[2], args[3], args[4]))
        elif exchange.name == b"XGROUP" and len(args) > 4 and args[1].upper() == b"CREATE" and exchange.done:
            made = {each for each in made if each[:2] != (args[2], args[3])}
        elif exchange.name == b"XREADGROUP" and len(args) > 6 and instance_of(args[3]) in actor.instances:
            if (args[-2], args[2], args[3]) in made:
                continue
            yield actor.broke(always.CONSUMER_MADE, exchange, "; it has not made this consumer")


def _registered(actor: Actor) -> Found:
    pushed: dict[bytes, set[bytes]] = {}
    for exchange in actor.exchanges:
        args = exchange.args
        if exchange.name in (b"LPUSH", b"RPUSH") and len(args) > 2 and actor.side_key(args[1], b"consumers"):
            names = pushed.setdefault(args[1], set())
            names.update(args[2:])
            twice = isinstance(exchange.result, int) and exchange.result > len(names)
            if twice or any(name.startswith(b"dispatcher_") for name in args[2:]):
                why = f"; the list then has {exchange.result} names" if twice else ""
                yield actor.broke(always.LISTED_ONCE, exchange, why)
        elif exchange.name == b"XADD" and not pushed:
            add = add_of(exchange)
            if add is not None and add.is_request:
                yield actor.broke(always.REGISTERED_FIRST, exchange, "; it has not registered")


def _groups(actor: Actor) -> Found:
    """At most as many groups may be made at the end as endpoints connected, plus those that were lost before they were
    read.

    BUSYGROUP made none: a connect may be tried again from its beginning.
    """
    made: Counter[tuple[bytes, bytes]] = Counter()
    connected = Counter((resp.to_bytes(e.stream), resp.to_bytes(e.group)) for e in actor.endpoints)
    unread: set[tuple[bytes, bytes]] = set()
    for exchange in actor.exchanges:
        args = exchange.args
        if exchange.name == b"XREADGROUP" and len(args) > 6:
            unread.discard((args[-2], args[2]))
        if exchange.name != b"XGROUP" or len(args) < 5 or args[1].upper() != b"CREATE" or args[4] != b"$":
            continue
        if not exchange.done or not connected[args[2], args[3]]:
            continue
        made[args[2], args[3]] += (args[2], args[3]) not in unread
        unread.add((args[2], args[3]))
        if made[args[2], args[3]] > connected[args[2], args[3]]:
            yield actor.broke(always.MADE_AT_THE_END, exchange, "; the group had been made before")


def _woken(actor: Actor) -> Found:
    """A claim and its wake-up may share one batch, the claim first."""
    claimed: set[bytes] = set()
    for exchange in actor.exchanges:
        args = exchange.args
        if exchange.name == b"XCLAIM" and len(args) > 5:
            claimed.add(instance_of(args[3]))
        elif exchange.name == b"PUBLISH" and len(args) == 3 and args[1].endswith(b":wakeup"):
            parts = args[1].rsplit(b":", 3)
            own = any(args[1] == s + b":" + g + b":wakeup" for s in actor.streams for g in actor.groups)
            if args[2] and not own:
                yield actor.broke(always.WOKEN, exchange, "; the message is not empty")
            if not own and parts[2] not in claimed:
                yield actor.broke(always.WOKEN, exchange, "; nothing was handed over to this instance before")
