"""RESP: whole frames from a buffer, replies that the tap makes up, commands."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc_conformance.wire import resp

FRAMES: list[tuple[bytes, Any]] = [
    (b"+OK\r\n", b"OK"),
    (b":-12\r\n", -12),
    (b"$5\r\nhe\r\no\r\n", b"he\r\no"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", [b"a", [1]]),
    (b"_\r\n", None),
    (b"#t\r\n", True),
    (b",1.5\r\n", 1.5),
    (b"(123456789012345678901234567890\r\n", 123456789012345678901234567890),
    (b"%1\r\n+k\r\n:1\r\n", [b"k", 1]),
    (b"~1\r\n:7\r\n", [7]),
    (b"=7\r\ntxt:abc\r\n", b"abc"),
    (b"|1\r\n+x\r\n+y\r\n:3\r\n", 3),
]


@pytest.mark.parametrize(("raw", "value"), FRAMES, ids=[repr(raw) for raw, _ in FRAMES])
def test_a_frame_is_parsed_and_its_end_is_known(raw: bytes, value: Any) -> None:
    assert resp.parse(b"xx" + raw + b"rest", 2) == (value, len(raw) + 2)


@pytest.mark.parametrize(("raw", "value"), FRAMES, ids=[repr(raw) for raw, _ in FRAMES])
def test_every_part_of_a_frame_is_incomplete(raw: bytes, value: Any) -> None:
    for size in range(len(raw)):
        with pytest.raises(resp.Incomplete):
            resp.parse(raw[:size])


def test_errors_are_values_wherever_they_stand() -> None:
    value, _ = resp.parse(b"*2\r\n-NOGROUP no such group\r\n!7\r\nOOM wow\r\n")
    assert [each.kind for each in value] == ["NOGROUP", "OOM"]


def test_a_push_and_a_status_can_be_told_from_data() -> None:
    assert isinstance(resp.parse(b">1\r\n+x\r\n")[0], resp.Push)
    assert isinstance(resp.parse(b"+QUEUED\r\n")[0], resp.Status)
    assert not isinstance(resp.parse(b"$6\r\nQUEUED\r\n")[0], resp.Status)


def test_what_is_no_resp_is_refused() -> None:
    with pytest.raises(resp.ProtocolError):
        resp.parse(b"?what\r\n")


def test_a_command_is_an_array_of_bulk_strings() -> None:
    raw = resp.encode_command(["SET", b"\xff", 1, "é"])
    assert resp.parse_command(raw) == ([b"SET", b"\xff", b"1", "é".encode()], len(raw))


def test_an_inline_command_is_read_too() -> None:
    assert resp.parse_command(b"PING hello\r\n") == ([b"PING", b"hello"], 12)


def test_a_boolean_is_no_argument() -> None:
    with pytest.raises(TypeError, match="boolean"):
        resp.encode_command(["SET", "k", True])


@pytest.mark.parametrize("value", [None, 0, b"x", [1, [b"a", None]], []])
def test_a_made_up_reply_is_read_back(value: Any) -> None:
    assert resp.parse(resp.encode_reply(value))[0] == value
