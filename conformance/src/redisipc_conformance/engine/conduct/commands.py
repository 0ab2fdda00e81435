"""Rules that a single command, or a single MULTI, can break."""

from __future__ import annotations

from typing import Any

from ... import always, jsontext
from ...context.objects import Endpoint
from ...context.scenario_context import ScenarioContext
from ...wire import resp
from ...wire.keys import keys_of
from ...wire.tap import Exchange
from .actor import Actor, Found, number, option

_LISTS = frozenset({b"KEYS", b"SCAN", b"RANDOMKEY", b"DBSIZE"})
_EXPIRES = frozenset({b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT", b"GETEX"})
_DESTROYS = frozenset({b"DEL", b"UNLINK", b"RENAME", b"RENAMENX", b"MOVE", b"RESTORE", b"SET"})
_MAKES = frozenset(
    b"XGROUP XREADGROUP XCLAIM XAUTOCLAIM SET SETEX SETNX LPUSH RPUSH SADD HSET ZADD INCR APPEND".split()
)
_LONGEST_BLOCK_MS = 5000
_EXPIRY_S = 100
_AT_ENDS = (b"0", b"0-0", b"$")
_GIVE_BACK_IDLE_MS = 315_360_000_000
_GIVE_BACK_RESPONSE_IDLE_MS = 630_720_000_000
_KEEP_ALIVE_BELOW_MS = 3_600_000
"""An idle time that no keep-alive writes: an hour."""
_STARTS = 3
_ANNOUNCED = ("spec", "implementation", "version", "language")


def breaches(context: ScenarioContext, actor: Actor) -> Found:
    """All of this endpoint. A command that it repeats word for word is examined once, except in a MULTI."""
    seen: set[tuple[bytes, ...]] = set()
    for exchange in actor.exchanges:
        words = tuple(exchange.args)
        if exchange.multi is None and exchange.name != b"EXEC":
            if words in seen:
                continue
            seen.add(words)
        if words:
            yield from _keys(actor, exchange)
            yield from _reads(actor, exchange)
            yield from _groups(actor, exchange)
            yield from _lists(actor, exchange)
            yield from _claims(context, actor, exchange)


def _keys(actor: Actor, exchange: Exchange) -> Found:
    args, name = exchange.args, exchange.name
    if name in _LISTS:
        yield actor.broke(always.KEYS_LISTED, exchange)
    together = exchange.members if name == b"EXEC" else [exchange]
    if len({key for each in together for key in keys_of(each.args)}) > 1:
        yield actor.broke(always.ONE_KEY, exchange, " with more than one key")
    on_stream = len(args) > 1 and args[1] in actor.streams
    trims = (name == b"XADD" and b"MAXLEN" in [arg.upper() for arg in args[2:4]]) or (
        name == b"XTRIM" and args[2:3] and args[2].upper() == b"MAXLEN"
    )
    if on_stream and trims:
        yield actor.broke(always.TRIMMED, exchange)
    if on_stream and name in _EXPIRES:
        yield actor.broke(always.EXPIRY, exchange)
    if name in _DESTROYS and any(key in actor.streams for key in keys_of(args)):
        yield actor.broke(always.DESTROYED, exchange)
    if actor.caller and name in _MAKES:
        yield actor.broke(always.CALLER_MAKES, exchange)


def _reads(actor: Actor, exchange: Exchange) -> Found:
    args = exchange.args
    if exchange.name not in (b"XREAD", b"XREADGROUP"):
        return
    block = number(option(args[: _streams_at(args)], b"BLOCK", 1))
    if block is not None and not 0 < block <= _LONGEST_BLOCK_MS:
        yield actor.broke(always.CALLER_BLOCKED if actor.caller else always.BLOCKED, exchange)
    if exchange.name == b"XREADGROUP" and args[-1] == b">" and len(args) > 3:
        kind, _, rest = args[3].partition(b"_")
        instance, _, count = rest.rpartition(b"_")
        known = not actor.instances or instance in actor.instances
        if kind != b"dispatcher" or not count.isdigit() or not known:
            yield actor.broke(always.DISPATCHER, exchange)


def _streams_at(args: list[bytes]) -> int:
    return next((i for i, arg in enumerate(args) if arg.upper() == b"STREAMS"), len(args))


def _groups(actor: Actor, exchange: Exchange) -> Found:
    args = exchange.args
    if exchange.name != b"XGROUP" or len(args) < 4:
        return
    word = args[1].upper()
    if word == b"DESTROY":
        yield actor.broke(always.DESTROYED, exchange)
    elif word == b"SETID":
        yield actor.broke(always.GROUP_SET, exchange)
    elif actor.groups and not actor.caller and args[3] not in actor.groups:
        yield actor.broke(always.OTHERS_GROUP, exchange)
    if word == b"CREATE" and len(args) > 5 and args[5].upper() == b"MKSTREAM" and args[4] not in _AT_ENDS:
        yield actor.broke(always.MADE_AGAIN, exchange)
    beside = actor.beside(exchange)
    if word == b"DELCONSUMER" and beside is not None:
        at = next((i for i, member in enumerate(beside) if member is exchange), 0)
        if not any(e.name == b"XPENDING" and e.args[-1] == args[4] for e in beside[:at] if len(args) > 4):
            yield actor.broke(always.UNLISTED_DELETION, exchange)


def _lists(actor: Actor, exchange: Exchange) -> Found:
    args, name = exchange.args, exchange.name
    if len(args) < 2:
        return
    key = args[1]
    if name in (b"EXPIRE", b"PEXPIRE") and len(args) > 2 and actor.side_key(key, b"consumers"):
        wanted = _EXPIRY_S * (1000 if name == b"PEXPIRE" else 1)
        if number(args[2]) != wanted:
            yield actor.broke(always.LIST_RENEWED, exchange)
    beside = actor.beside(exchange)
    if name in (b"LPUSH", b"RPUSH") and actor.side_key(key, b"consumers") and not actor.singly and beside is not None:
        given = [number(e.args[2]) for e in beside if e.name == b"EXPIRE" and e.args[1] == key and len(e.args) > 2]
        if _EXPIRY_S not in given:
            yield actor.broke(always.LIST_EXPIRY, exchange)
    if name == b"SET" and len(args) > 2 and actor.side_key(key, b"announce"):
        seconds, milliseconds = number(option(args, b"EX", 3)), number(option(args, b"PX", 3))
        lasts = seconds if seconds is not None else milliseconds and milliseconds / 1000
        if not lasts or lasts > _EXPIRY_S:
            yield actor.broke(always.ANNOUNCED_FOR, exchange)
        said = _object(args[2])
        if said is None or not _is_announcement(said):
            yield actor.broke(always.ANNOUNCED, exchange)
        elif "timeout_ms" in said and not _is_own_timeout(actor, said["timeout_ms"], key):
            yield actor.broke(always.ANNOUNCED_TIMEOUT, exchange)


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = jsontext.loads(text.decode())
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_announcement(said: dict[str, Any]) -> bool:
    return all(isinstance(said.get(key), str) for key in _ANNOUNCED) and isinstance(said.get("features"), list)


def _is_own_timeout(actor: Actor, value: Any, key: bytes) -> bool:
    """A whole number, and that of the timeout with which the endpoint of this announcement was connected."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        return False
    given = {e.options.get("timeout") for e in actor.endpoints if _announces(e, key)}
    numbers = [seconds for seconds in given if isinstance(seconds, (int, float))]
    return len(numbers) != 1 or abs(value - numbers[0] * 1000) < 1


def _announces(endpoint: Endpoint, key: bytes) -> bool:
    """An endpoint whose instance is not known yet may be any instance."""
    name = f"{endpoint.stream}:{endpoint.group}:{endpoint.instance}:announce"
    return not endpoint.instance or resp.to_bytes(name) == key


def _claims(context: ScenarioContext, actor: Actor, exchange: Exchange) -> Found:
    args = exchange.args
    if exchange.name != b"XCLAIM" or len(args) < 6:
        return
    words = [arg.upper() for arg in args[5:]]
    idle = number(option(args, b"IDLE", 5))
    count = number(option(args, b"RETRYCOUNT", 5))
    # With FORCE an entry is restored, and its count does not change.
    starts = count is not None and idle is None and b"FORCE" not in words
    if starts and count is not None and (count < _STARTS or count % _STARTS):
        yield actor.broke(always.ONE_START, exchange)
    if idle is not None and idle >= _KEEP_ALIVE_BELOW_MS and not _marks(context, args, idle):
        yield actor.broke(always.GIVE_BACK_MARK, exchange)
    if b"JUSTID" not in words and count is None:
        for arg in args[5:]:
            written = context.entry_log.get(_text(args[1]), _text(arg))
            if written is not None and written.status == "pending":
                yield actor.broke(always.COUNTED_CLAIM, exchange)
                return


def _marks(context: ScenarioContext, args: list[bytes], idle: int) -> bool:
    """Whether this idle time marks a give-back of these entries. The mark of responses is not for requests."""
    if idle != _GIVE_BACK_RESPONSE_IDLE_MS:
        return idle == _GIVE_BACK_IDLE_MS
    written = [context.entry_log.get(_text(args[1]), _text(arg)) for arg in args[5:]]
    return not any(each is not None and each.status == "pending" for each in written)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
