"""Announcements are written by others: whatever they contain, reading them raises nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redisipc.cli.look.instances import announcement
from redisipc.protocol.announced import read
from redisipc.protocol.peers import Peer, look_at

from ..support_core import Hand

DEEP = b"[" * 200_000
SPECS = (b'{"spec":"2.0"}', b'{"spec":null}', b'{"spec":1.0}', b'{"spec":"x"}', b'{"spec":""}', b"{}")
ONE = '{"spec":"1.0","features":["wakeup"]}'
NO_JSON_IN_UTF_8 = (
    ONE.encode("utf-16-le"),
    ONE.encode("utf-16-be"),
    ONE.encode("utf-32-le"),
    ONE.encode("utf-8-sig"),
    b'{"spec":"1.0","x":NaN}',
    b'{"spec":"1.0","x":"\xff"}',
)
ODD = (None, b"", b"7", b"[]", b"\xff", b"{", DEEP, *SPECS, *NO_JSON_IN_UTF_8)


@pytest.mark.parametrize("text", ODD, ids=lambda text: repr(text)[:20])
def test_an_odd_announcement_says_nothing(text: Any) -> None:
    assert read(text) == {}
    assert not announcement(text)


@pytest.mark.parametrize("spec", ["1", "1.0", "1.7", "1.x"])
def test_each_minor_version_is_read(spec: str) -> None:
    """RIPC-VERS-10: `1`, or a text that begins with `1.`."""
    assert read(b'{"spec":"%s","more":1}' % spec.encode()) == {"spec": spec, "more": 1}


@given(st.binary())
def test_any_bytes_can_be_read(text: bytes) -> None:
    assert isinstance(read(text), dict)


@pytest.mark.parametrize("text", ODD, ids=lambda text: repr(text)[:20])
def test_an_instance_with_an_odd_announcement_is_seen(text: Any) -> None:
    hand = Hand().up()
    hand.special["XINFO CONSUMERS"] = [[b"name", b"consumer_abc123_0", b"pending", 0, b"idle", 10]]
    hand.special["LRANGE"] = [b"consumer_abc123_0"]
    hand.special["GET"] = text
    found: list[Any] = []
    look_at(hand.endpoint.shared, "stock", hand.now, found.append)
    hand.write_all()
    assert found == [[Peer("abc123", 0.01)]]
