"""Rules about the entries that an endpoint holds: those that it read, claimed, gave back or handed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ... import always
from ...context.scenario_context import ScenarioContext
from ...wire.tap import Exchange
from .actor import Actor, Found, instance_of, number, option

_RECLAIMED_FROM_MS = 10_000
_GIVEN_BACK_FROM_MS = 157_680_000_000
_LOOKS = 2
_ANSWERED = ("fulfilled", "rejected")


def breaches(context: ScenarioContext, actor: Actor) -> Found:
    """All of this endpoint. If a scenario has a server of its own, an entry ID may stand for two entries."""
    if actor.caller or not actor.instances or context.scenario.own_server:
        return
    held = _Held(context, actor)
    for exchange in actor.exchanges:
        yield from held.sees(exchange)
    yield from held.settles()


class _Held:
    """The endpoint's knowledge of each entry, by its ID: only from replies that it got."""

    def __init__(self, context: ScenarioContext, actor: Actor) -> None:
        self._context = context
        self._actor = actor
        self._read: set[bytes] = set()
        """It read them, or its own lists showed them."""
        self._new: set[bytes] = set()
        self._looks: Counter[bytes] = Counter()
        """One of these is enough for an entry that was given back."""
        self._handed: set[bytes] = set()
        self._given: set[bytes] = set()
        self._acknowledged: set[bytes] = set()
        self._deleted: dict[bytes, Exchange] = {}
        self._listed: set[bytes] = set()
        self._deletes_consumers = False

    def sees(self, exchange: Exchange) -> Found:
        name, args = exchange.name, exchange.args
        if name == b"XREADGROUP":
            found = set(_ids(exchange.result))
            self._read |= found
            self._new |= found if args[-1] == b">" else set()
            self._forgets(found)
        elif name == b"XAUTOCLAIM":
            claimed = set(_ids(exchange.result[1:2])) if isinstance(exchange.result, list) else set()
            self._read |= claimed
            self._forgets(claimed)
        elif name == b"XPENDING" and len(args) > 3:
            for row in exchange.result if isinstance(exchange.result, list) else ():
                if isinstance(row, list) and len(row) > 1 and isinstance(row[0], bytes):
                    given = len(row) > 2 and isinstance(row[2], int) and row[2] >= _GIVEN_BACK_FROM_MS
                    self._looks[row[0]] += _LOOKS if given else 1
                    self._shown(row[0], is_own=instance_of(row[1]) in self._actor.instances, given=given)
        elif name in (b"LRANGE", b"LINDEX"):
            names = exchange.result if isinstance(exchange.result, list) else [exchange.result]
            self._listed.update(each for each in names if isinstance(each, bytes))
        elif name == b"LPOS" and len(args) > 2 and exchange.result not in (None, []):
            self._listed.add(args[2])
        elif name == b"XGROUP" and len(args) > 1 and args[1].upper() == b"DELCONSUMER":
            self._deletes_consumers = True
        elif name == b"XCLAIM" and len(args) > 5:
            yield from self._claim(exchange)
        elif name in (b"XACK", b"XDEL"):
            yield from self._settle(exchange)

    def _shown(self, id: bytes, *, is_own: bool, given: bool) -> None:
        """A row of a look excuses its own entry after a lost reply, and that of a dead sibling whose body is gone."""
        if is_own:
            self._read.add(id)
            self._handed.discard(id)
            if not given:
                self._given.discard(id)
        elif self._looks[id] >= _LOOKS:
            self._handed.discard(id)

    def _claim(self, exchange: Exchange) -> Found:
        args = exchange.args
        least = number(args[4]) or 0
        asked = {each for each in args[5:] if _is_id(each)}
        got = set(_ids(exchange.result)) & asked
        words = {arg.upper() for arg in args[5:]}
        own = instance_of(args[3]) in self._actor.instances
        idle = number(option(args, b"IDLE", 5))
        if b"FORCE" in words:
            self._forgets(asked)
        elif not own:
            if args[3].startswith(b"consumer_"):
                if least or args[3] not in self._listed:
                    why = "" if least else "; no list that it read has this consumer"
                    yield self._actor.broke(always.HANDED_TO, exchange, why)
                self._handed |= got
                for id in got:
                    self._looks[id] = 0
        elif idle is not None and idle >= _GIVEN_BACK_FROM_MS:
            self._given |= got
        else:
            if args[3].startswith(b"consumer_"):
                yield self._actor.broke(always.HANDED_TO_ITSELF, exchange)
            yield from self._own_claim(exchange, least, asked)
            if least >= _RECLAIMED_FROM_MS:
                self._forgets(got)
            self._read |= got

    def _own_claim(self, exchange: Exchange, least: int, asked: set[bytes]) -> Found:
        if least < _RECLAIMED_FROM_MS:
            if strange := asked - self._read:
                yield self._actor.broke(always.CLAIMED_EARLY, exchange, f"; {_text(min(strange))} is not its own")
            if given := asked & self._given:
                yield self._actor.broke(always.KEPT_ALIVE, exchange, f"; it gave {_text(min(given))} back")
        elif least < _GIVEN_BACK_FROM_MS and (seen := [id for id in asked if self._looks[id] < _LOOKS]):
            yield self._actor.broke(always.ONE_LOOK, exchange, f"; it looked at {_text(min(seen))} once or never")

    def _settle(self, exchange: Exchange) -> Found:
        ids = set(exchange.args[3:] if exchange.name == b"XACK" else exchange.args[2:])
        if (handed := ids & self._handed) and not self._deletes_consumers:
            yield self._actor.broke(always.HANDED_KEPT, exchange, f"; it handed {_text(min(handed))} over")
        if exchange.name == b"XACK":
            self._acknowledged |= ids
        elif exchange.done and not self._deletes_consumers:
            for id in ids:
                self._deleted.setdefault(id, exchange)

    def settles(self) -> Found:
        """At the end: what it read as new, deleted as a response, and never tried to acknowledge.

        Entries that it deletes after it has deleted a consumer may have been in that consumer's list.
        """
        for id, exchange in self._deleted.items():
            written = self._context.entry_log.get(_text(exchange.args[1]), _text(id))
            if written is None or written.status not in _ANSWERED or id not in self._new:
                continue
            if id not in self._acknowledged:
                yield self._actor.broke(always.SETTLED, exchange, f"; it never acknowledged {_text(id)}")

    def _forgets(self, ids: set[bytes]) -> None:
        self._given -= ids
        self._handed -= ids


def _ids(reply: Any) -> Iterable[bytes]:
    """Every entry ID that is first in a list of the reply, or alone in it."""
    if isinstance(reply, bytes) and _is_id(reply):
        yield reply
    elif isinstance(reply, dict):
        for each in reply.values():
            yield from _ids(each)
    elif isinstance(reply, list):
        if len(reply) == 2 and isinstance(reply[0], bytes) and _is_id(reply[0]) and not isinstance(reply[1], bytes):
            yield reply[0]
        else:
            for each in reply:
                yield from _ids(each)


def _is_id(text: bytes) -> bool:
    first, dash, second = text.partition(b"-")
    return bool(dash) and first.isdigit() and second.isdigit()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
