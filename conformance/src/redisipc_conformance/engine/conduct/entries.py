"""Rules about the entries that an endpoint writes and deletes, and about the requests that its handlers get."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ... import always
from ...context.entry_log import xadd_fields
from ...context.objects import Written
from ...context.scenario_context import ScenarioContext
from ...wire import resp
from ...wire.tap import Exchange
from .actor import Actor, Add, Broken, Found, add_of

_REQUEST_ID = re.compile(rb"[0-9a-f]{21}")
_INSTANCE_ID = re.compile(rb"[0-9a-f]{6}")
_FIELDS = (b"id", b"instance_id", b"status", b"content", b"source_group", b"destination_group")
_TRACE = re.compile(rb"Traceback \(most recent call last\)|(\n|\\n)[ \t]+at[ \t]\S.*:\d+")
_ANSWERED = ("fulfilled", "rejected")
_AFTER_THE_END = 0.3
"""Seconds: a command that was sent just before the end may be seen just after it."""
_LAST_WORDS = frozenset({b"QUIT", b"CLIENT", b"UNSUBSCRIBE", b"RESET", b"HELLO", b"AUTH", b"SELECT"})

Ids = dict[bytes, str]
"""Every request id of a run, and where it was written."""


def breaches(context: ScenarioContext, actor: Actor, ids: Ids) -> Found:
    """All of this endpoint. ``ids`` learns its request ids."""
    adds = [add for exchange in actor.exchanges if exchange.args and (add := add_of(exchange)) is not None]
    yield from _instances(context, actor)
    yield from _form(actor, adds)
    yield from _again(context, actor, [add for add in adds if add.is_request], ids)
    requests: dict[bytes, list[Written]] = defaultdict(list)
    for written in context.entry_log.entries:
        if written.status not in _ANSWERED:
            requests[written.raw("id") or b""].append(written)
    for add in adds:
        if add.is_response:
            yield from _mirrors(context, actor, add, requests[add.fields.get(b"id", b"")])
    yield from _answers(actor, [add for add in adds if add.is_response], requests)
    yield from _order(actor, adds)
    yield from _alone(actor, [add for add in adds if add.is_response])
    yield from _deletions(context, actor)
    yield from _runs(context, actor)
    yield from _end(context, actor)


def _instances(context: ScenarioContext, actor: Actor) -> Found:
    """Also one that disconnected and connected again."""
    for endpoint in actor.endpoints:
        for other in context.endpoints:
            if other is endpoint or not endpoint.instance or other.caller or endpoint.caller:
                continue
            if (other.instance, other.group, other.stream) == (endpoint.instance, endpoint.group, endpoint.stream):
                seen = f"{endpoint.label} and {other.label} are both instance {endpoint.instance} of {endpoint.group!r}"
                text = f"connected as instance {endpoint.instance}"
                evidence = [note for note in context.notes if note.text == text]
                yield Broken(always.NEW_INSTANCE, seen, evidence[-1] if evidence else None)
                return


def _answers(actor: Actor, adds: Iterable[Add], requests: Mapping[bytes, Sequence[Written]]) -> Found:
    """At most as many responses to one id as there were requests with it, or starts of them: a start is a delivery."""
    starts = Counter(received.id for endpoint in actor.endpoints for received in endpoint.received)
    stored: Counter[bytes] = Counter()
    for add in adds:
        exchange = add.exchange
        if actor.beside(exchange) is None or not isinstance(exchange.result, bytes) or exchange.result == b"QUEUED":
            continue
        id = add.fields.get(b"id", b"")
        stored[id] += 1
        if requests[id] and stored[id] > max(len(requests[id]), starts[_text(id)]):
            yield actor.broke(always.ANSWERED_ONCE, exchange, f", response {stored[id]} to this id")


def _form(actor: Actor, adds: Iterable[Add]) -> Found:
    for add in adds:
        exchange = add.exchange
        if add.entry_id != b"*":
            yield actor.broke(always.OWN_ENTRY_ID, exchange, f"; the entry ID is {_text(add.entry_id)!r}, not *")
        yield from _fields(actor, add)
        if not add.is_request:
            continue
        if b"NOMKSTREAM" not in add.options:
            yield actor.broke(always.CALLER_STREAM if actor.caller else always.STREAM_MADE, exchange)
        if not _REQUEST_ID.fullmatch(add.fields.get(b"id", b"")):
            id = add.fields.get(b"id", b"")
            yield actor.broke(always.REQUEST_ID, exchange, f"; the id {_text(id)!r} has {len(id)} bytes")
        instance, source = add.fields.get(b"instance_id", b""), add.fields.get(b"source_group", b"")
        if not _INSTANCE_ID.fullmatch(instance):
            yield actor.broke(always.INSTANCE_ID, exchange, f"; the instance id is {_text(instance)!r}")
        elif actor.instances and instance not in actor.instances and not actor.caller:
            yield actor.broke(always.OWN_INSTANCE, exchange, f"; it connected as {_names(actor.instances)}")
        if actor.caller:
            if source != b"caller:" + instance:
                why = f"; the source is {_text(source)!r}, and the instance {_text(instance)!r}"
                yield actor.broke(always.CALLER_SOURCE, exchange, why)
        elif actor.groups and source not in actor.groups:
            yield actor.broke(always.OWN_SOURCE, exchange, f"; it is in group {_names(actor.groups)}")


def _fields(actor: Actor, add: Add) -> Found:
    names = tuple(name for name, _ in xadd_fields(add.exchange.args) or ())
    if sorted(names) != sorted(_FIELDS):
        yield actor.broke(always.SIX_FIELDS, add.exchange, f"; its fields are {_text(b' '.join(names))}")
    elif names != _FIELDS:
        yield actor.broke(always.FIELD_ORDER, add.exchange, f"; its fields are {_text(b' '.join(names))}")
    if add.fields.get(b"status") == b"rejected" and _TRACE.search(add.fields.get(b"content", b"")):
        yield actor.broke(always.NO_TRACE, add.exchange)


def _again(context: ScenarioContext, actor: Actor, adds: Iterable[Add], ids: Ids) -> Found:
    stored: dict[bytes, Add] = {}
    unsure: dict[bytes, Add] = {}
    for add in adds:
        id, exchange = add.fields.get(b"id", b""), add.exchange
        place = f"{context.scenario.id} {context.stream} {actor.label}"
        if ids.setdefault(id, place) != place:
            yield actor.broke(always.SAME_ID, exchange, f", an id that {ids[id]} has used")
        if id in stored:
            same = {**add.fields} == {**stored[id].fields}
            rule = always.CALLER_AGAIN if actor.caller else always.WRITTEN_AGAIN if same else always.SAME_ID
            yield actor.broke(rule, exchange)
        elif id in unsure:
            yield actor.broke(always.CALLER_AGAIN if actor.caller else always.UNSURE_AGAIN, exchange)
        if actor.beside(exchange) is None:
            continue
        if not exchange.answered:
            unsure[id] = add
        elif isinstance(exchange.result, bytes) and exchange.result != b"QUEUED":
            stored[id] = add


def _mirrors(context: ScenarioContext, actor: Actor, add: Add, requests: list[Written]) -> Found:
    if not requests:
        if _knows_all(context):
            yield actor.broke(always.ANSWER_ID, add.exchange, "; no request has this id")
        return
    fitting = [each for each in requests if each.raw("instance_id") == add.fields.get(b"instance_id")]
    if not fitting:
        named = _names(each.raw("instance_id") or b"" for each in requests)
        yield actor.broke(always.ANSWER_INSTANCE, add.exchange, f"; the request names instance {named}")
        return
    wanted = (add.fields.get(b"destination_group"), add.fields.get(b"source_group"))
    if not any((each.raw("source_group"), each.raw("destination_group")) == wanted for each in fitting):
        first = fitting[0]
        why = f"; the request is from {first.source_group!r} to {first.destination_group!r}"
        yield actor.broke(always.ANSWER_GROUPS, add.exchange, why)


def _order(actor: Actor, adds: Iterable[Add]) -> Found:
    if actor.singly:
        return
    for add in adds:
        exchange = add.exchange
        members = actor.beside(exchange)
        if not add.is_response or members is None:
            continue
        at = next((i for i, member in enumerate(members) if member is exchange), None)
        names = [member.name for member in members[at:]] if at is not None else []
        if b"XACK" not in names or b"XDEL" not in names or names.index(b"XACK") > names.index(b"XDEL"):
            sent = " ".join(_text(member.name) for member in members)
            yield actor.broke(always.ANSWER_ORDER, exchange, f"; its MULTI has {sent}" if sent else "; in no MULTI")


def _alone(actor: Actor, adds: Iterable[Add]) -> Found:
    """If a MULTI got no reply, each of its answers may have broken the connection."""
    together: dict[int, list[Exchange]] = defaultdict(list)
    for add in adds:
        if add.exchange.multi is not None:
            together[add.exchange.multi].append(add.exchange)
    lost: set[tuple[bytes, ...]] = set()
    for exchanges in together.values():
        again = [exchange for exchange in exchanges if tuple(exchange.args) in lost]
        if again and len(exchanges) > 1:
            yield actor.broke(always.ALONE, again[0], f", again with {len(exchanges) - 1} more in its MULTI")
        if not any(exchange.answered for exchange in exchanges):
            lost.update(tuple(exchange.args) for exchange in exchanges)


def _deletions(context: ScenarioContext, actor: Actor) -> Found:
    if not _knows_all(context) or not actor.groups:
        return
    for exchange in actor.exchanges:
        if exchange.name != b"XDEL" or len(exchange.args) < 3:
            continue
        key = _text(exchange.args[1])
        for id in exchange.args[2:]:
            written = context.entry_log.get(key, _text(id))
            if written is None or written.by == actor.label or written.raw("instance_id") in actor.instances:
                continue
            if _destination(written) not in actor.groups:
                yield actor.broke(always.DELETED, exchange, f"; {_text(id)} is for {_text(_destination(written))!r}")
                return


def _runs(context: ScenarioContext, actor: Actor) -> Found:
    """A request whose entry was never seen proves nothing: it may have been deleted at once."""
    for endpoint in actor.endpoints:
        if endpoint.unacknowledged:
            yield Broken(always.KEPT_PENDING, endpoint.unacknowledged, None)
        group = resp.to_bytes(endpoint.group)
        for received in endpoint.received:
            known = [
                each for each in context.entry_log.entries if each.id == received.id and each.key == endpoint.stream
            ]
            known = [each for each in known if each.status not in _ANSWERED]
            if known and all(_destination(each) != group for each in known):
                seen = (
                    f"a handler of {actor.label} got {known[0].entry}, which is for {_text(_destination(known[0]))!r}"
                )
                yield Broken(always.RUN_FOR_OTHERS, seen, received.note)


def _end(context: ScenarioContext, actor: Actor) -> Found:
    """After a finished disconnect, if no endpoint connected again under this label."""
    ends = [note.at for note in context.notes if note.who == actor.label and note.text == "disconnected"]
    if not ends or len(ends) < len(actor.endpoints):
        return
    late: list[Exchange] = [e for e in actor.exchanges if e.sent > max(ends) + _AFTER_THE_END]
    for exchange in late:
        if exchange.args and exchange.name not in _LAST_WORDS:
            yield actor.broke(always.AFTER_THE_END, exchange)
            return


def _knows_all(context: ScenarioContext) -> bool:
    """Whether an entry ID stands for one entry: not after a script, an emptied server or a deleted stream."""
    own = {str(note.args[0]) for note in context.notes if note.args}
    return not context.scenario.own_server and own.isdisjoint(("EVAL", "DEL"))


def _destination(written: Written) -> bytes:
    """If a field is there twice, the last one counts (RIPC-ODD-11)."""
    return next((value for name, value in reversed(written.pairs) if name == b"destination_group"), b"")


def _names(raws: Iterable[bytes]) -> str:
    """Each in quotes, without duplicates."""
    return ", ".join(dict.fromkeys(repr(_text(raw)) for raw in raws))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
