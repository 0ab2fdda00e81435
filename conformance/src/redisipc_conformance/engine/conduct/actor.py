"""One endpoint label of a scenario, and all that is known of the endpoints that used it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ...always import Rule
from ...context import notes
from ...context.entry_log import xadd_fields, xadd_id_at
from ...context.scenario_context import ScenarioContext
from ...wire import resp
from ...wire.tap import Exchange

Pairs = list[tuple[bytes, bytes]]


class Broken(NamedTuple):
    """One breach of a rule. ``evidence``: the line of the transcript."""

    rule: Rule
    seen: str
    evidence: object


Found = Iterator[Broken]


class Actor:
    """``groups`` and ``instances`` are empty where no endpoint of the label was ever connected."""

    def __init__(self, context: ScenarioContext, label: str) -> None:
        endpoints = [endpoint for endpoint in context.endpoints if endpoint.label == label]
        self.label = label
        self.exchanges: list[Exchange] = context.taps[label].exchanges
        self.caller = any(endpoint.caller for endpoint in endpoints)
        self.groups = {resp.to_bytes(endpoint.group) for endpoint in endpoints}
        self.instances = {resp.to_bytes(endpoint.instance) for endpoint in endpoints if endpoint.instance}
        self.streams = {resp.to_bytes(endpoint.stream) for endpoint in endpoints} or {resp.to_bytes(context.stream)}
        self.endpoints = endpoints
        self.singly = any(e.name == b"MULTI" and isinstance(e.reply, resp.ErrorReply) for e in self.exchanges)
        """Redis refused MULTI itself (RIPC-RESP-26)."""
        self._first: dict[Rule, Broken] = {}
        self._transactions: dict[int, list[Exchange]] = {}
        for exchange in self.exchanges:
            if exchange.multi is not None:
                self._transactions.setdefault(exchange.multi, []).append(exchange)

    def beside(self, exchange: Exchange) -> list[Exchange] | None:
        """The commands of its MULTI, none where it is in none; None if a fault or a loss left something out."""
        if exchange.multi is None:
            return []
        found = self._transactions[exchange.multi]
        whole = found[-1].name == b"EXEC" and found[-1].answered and not any(each.fate for each in found)
        return found[1:-1] if whole else None

    def broke(self, rule: Rule, exchange: Exchange, why: str = "") -> Broken:
        """The first breach of this rule, by this command or an earlier one: a testee may break a rule thousands of times."""
        if rule not in self._first:
            self._first[rule] = Broken(rule, f"{self.label} sent {notes.command(exchange.args)[:300]}{why}", exchange)
        return self._first[rule]

    def side_key(self, key: bytes, kind: bytes) -> bool:
        """Whether it is a key beside one of its streams."""
        return any(key.startswith(stream + b":") for stream in self.streams) and key.endswith(b":" + kind)


class Add(NamedTuple):
    """The parts of an XADD."""

    exchange: Exchange
    options: Sequence[bytes]
    entry_id: bytes
    fields: dict[bytes, bytes]

    @property
    def is_request(self) -> bool:
        return self.fields.get(b"status") == b"pending"

    @property
    def is_response(self) -> bool:
        return self.fields.get(b"status") in (b"fulfilled", b"rejected")


def add_of(exchange: Exchange) -> Add | None:
    """None for another command, and for a malformed XADD."""
    args = exchange.args
    at = xadd_id_at(args)
    pairs = xadd_fields(args)
    if at is None or pairs is None:
        return None
    return Add(exchange, [arg.upper() for arg in args[2:at]], args[at], dict(pairs))


def option(args: Sequence[bytes], word: bytes, begin: int = 2) -> bytes | None:
    """The argument behind this word of a command; None if it is not there."""
    for i in range(begin, len(args) - 1):
        if args[i].upper() == word:
            return args[i + 1]
    return None


def number(text: bytes | None) -> int | None:
    """The whole number in an argument."""
    return int(text) if text is not None and text.isdigit() else None


def instance_of(consumer: object) -> bytes:
    """The instance id in a name of one of the two forms; else empty."""
    kind, _, rest = consumer.partition(b"_") if isinstance(consumer, bytes) else (b"", b"", b"")
    return rest.rpartition(b"_")[0] if kind in (b"dispatcher", b"consumer") else b""
