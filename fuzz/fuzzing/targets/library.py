"""The inputs of the library: replies of a server, entries, contents, lists and announcements, contents of events."""

from __future__ import annotations

import json
from typing import Any

from redisipc.channel.definition import EventDefinition
from redisipc.channel.dispatch import dispatch
from redisipc.errors import RedisIPCError, Reject
from redisipc.protocol import content
from redisipc.protocol.entry import Entry, Malformed, parse
from redisipc.protocol.events import Problem
from redisipc.runtime.resp import MISSING, PlainParser, ProtocolError
from support_core import Hand

from ..separators import ENTRY, FIELD

_EVENT = EventDefinition("level", "level", ("sku", "unit"), frozenset(("sku", "unit")), ("sku",))


def reply(data: bytes) -> None:
    """Bytes of a server, cut where the input says: they give replies, or ``ProtocolError``."""
    cut = data[0] + 1 if data else 1
    whole, pieces = PlainParser(), PlainParser()
    assert _replies(whole, [data[1:]]) == _replies(pieces, [data[at : at + cut] for at in range(1, len(data), cut)])


def _replies(parser: PlainParser, parts: list[bytes]) -> list[Any]:
    seen: list[Any] = []
    try:
        for part in parts:
            parser.feed(part)
            while (value := parser.gets()) is not MISSING:
                seen.append(value)
    except ProtocolError:
        seen.append(ProtocolError)
    return seen


def entry(data: bytes) -> None:
    """The fields of an entry: an entry, or ``Malformed`` with a problem that is text."""
    fields = data.split(FIELD)
    if len(fields) % 2:
        fields.append(b"")
    found = parse(b"1-0", fields)
    if isinstance(found, Malformed):
        assert found.problem
        assert [part for pair in found.fields for part in pair] == fields
        return
    assert isinstance(found, Entry)
    assert dict(zip(fields[0::2], fields[1::2], strict=True)) == {
        name.encode(): value for name, value in found._asdict().items() if name != "entry_id"
    }


def content_text(data: bytes) -> None:
    """The content of an entry: it always gives a value, and a reader gets the same value when it is written again."""
    value = content.decode(data)
    try:
        text = content.encode(value)
    except RedisIPCError:
        # A reader may make a value of malformed or extreme text that cannot be written, for example infinity.
        return
    again = content.decode(text)
    assert again == value or _odd_number(value)


def _odd_number(value: Any) -> bool:
    return "e" in json.dumps(value).lower() or "." in json.dumps(value)


def endpoint(data: bytes) -> None:
    """Entries for a whole endpoint: it starts a request to its group, acknowledges all others, and continues."""
    hand = Hand().up()
    rows = [_row(hand, part) for part in data.split(ENTRY)[:8]]
    hand.read(*rows)
    hand.pass_time(30.0)
    acknowledged = {part for command in hand.sent if command[0] == "XACK" for part in command[3:]}
    for entry_id, fields in rows:
        runs = fields is not None and _is_request(entry_id, fields)
        assert (entry_id in acknowledged) != runs, (entry_id, fields)
    assert hand.endpoint.state.name == "UP"
    assert len(hand.started()) == sum(fields is not None and _is_request(id, fields) for id, fields in rows)
    assert all(event.message for event in hand.events if isinstance(event, Problem))


def _is_request(entry_id: bytes, fields: list[bytes]) -> bool:
    found = parse(entry_id, fields)
    return isinstance(found, Entry) and found.status == b"pending" and found.destination_group == b"web"


def _row(hand: Hand, part: bytes) -> list[Any]:
    fields = part.split(FIELD)
    if len(fields) % 2:
        fields.append(b"")
    return [hand.next_id(), fields if part else None]


def siblings(data: bytes) -> None:
    """Availability lists and announcements of siblings, which anybody can forge."""
    listed, _, announced = data.partition(ENTRY)
    hand = Hand().up()
    hand.special["LRANGE"] = listed.split(FIELD) if listed else []
    hand.special["GET"] = announced or None
    hand.special["XINFO CONSUMERS"] = [
        [b"name", name, b"pending", 0, b"idle", 5] for name in (b"dispatcher_abcdef_0", listed[:40], announced[:40])
    ]
    hand.read(hand.response(b"f" * 21, instance=b"abcdef"))
    hand.pass_time(25.0)
    assert hand.endpoint.state.name == "UP"


def channel(data: bytes) -> None:
    """The content of an event: it gives a call with exactly the declared parameters, or a rejection with a text."""
    try:
        call = dispatch({"level": _EVENT}, content.decode(data))
    except Reject as refusal:
        assert str(refusal)
        return
    assert set(call.params) <= {"sku", "unit"}
    assert "sku" in call.params
