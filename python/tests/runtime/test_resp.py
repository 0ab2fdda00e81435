"""RESP2 in pure Python agrees with hiredis, however the bytes are cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redisipc.protocol.commands import Failure, add, read_now
from redisipc.protocol.entry import build
from redisipc.runtime import resp
from redisipc.runtime.resp import MISSING, ProtocolError, make_parser, pack, pack_entry, pack_plain

words = st.text(st.characters(codec="ascii", exclude_characters="\r\n"), min_size=1)
replies = st.recursive(
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.binary()
    | words.map(lambda text: Failure(text.partition(" ")[0], text)),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)
arguments = st.one_of(st.binary(), st.text(st.characters(codec="utf-8")), st.integers())


def wire(reply: Any) -> bytes:
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, Failure):
        return b"-%b\r\n" % reply.message.encode()
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    return b"*%d\r\n" % len(reply) + b"".join(map(wire, reply))


@pytest.mark.parametrize("plain", [True, False])
@given(st.lists(replies, max_size=4), st.data())
def test_what_is_written_is_read_again_however_it_is_cut(plain: bool, expected: list[Any], data: st.DataObject) -> None:
    text = b"".join(map(wire, expected))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    parser = make_parser(plain)
    seen = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        parser.feed(text[start:end])
        while (reply := parser.gets()) is not MISSING:
            seen.append(reply)
    assert seen == expected


@given(st.lists(st.lists(arguments, min_size=1).map(tuple), max_size=3))
def test_both_packers_agree(commands: list[tuple[Any, ...]]) -> None:
    assert pack(commands) == pack_plain(commands)


@pytest.mark.parametrize("text", [b"HTTP/1.1 200\r\n", b"$x\r\n", b"%1\r\n+a\r\n+b\r\n"])
def test_what_is_no_resp2_is_refused(text: bytes) -> None:
    parser = make_parser(plain=True)
    parser.feed(text)
    with pytest.raises(ProtocolError):
        parser.gets()


@pytest.mark.parametrize("kind", [b"$", b"*", b":"])
@pytest.mark.parametrize(
    ("line", "shown"), [(b"ab\xff", r"ab\xff"), (b"", ""), (b"9" * 5000, "9" * 40), (b"1.5", "1.5")]
)
def test_a_length_that_is_no_number_is_told_in_a_sentence(kind: bytes, line: bytes, shown: str) -> None:
    parser = make_parser(plain=True)
    parser.feed(kind + line + b"\r\n")
    with pytest.raises(ProtocolError) as caught:
        parser.gets()
    assert str(caught.value) == f"a length or a number in a reply is '{shown}'; is this a Redis server, and RESP2?"


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    parser = make_parser(plain=True)
    for _ in range(64):
        parser.feed(b"+" * 1024)
        assert parser.gets() is MISSING
    parser.feed(b"+")
    with pytest.raises(ProtocolError, match="over 65536 bytes"):
        parser.gets()


def test_without_hiredis_the_plain_ones_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resp, "hiredis", None)
    assert isinstance(make_parser(), resp.PlainParser)
    assert pack([("GET", 1)]) == b"*2\r\n$3\r\nGET\r\n$1\r\n1\r\n"


@given(st.lists(st.binary(), min_size=7, max_size=7), st.sampled_from(["", "field", "create", "text", "short"]))
def test_the_entry_that_has_a_form_of_its_own_is_packed_as_any_command(values: list[bytes], change: str) -> None:
    stream, *fields = values
    command: list[Any] = [*add(stream, build(*fields))]
    if change == "field":
        command[4] = b"name"
    elif change == "create":
        command[2] = "MAXLEN"
    elif change == "text":
        command[5] = "an id"
    elif change == "short":
        command.pop()
    assert (pack_entry(tuple(command)) is None) is bool(change)
    assert pack([("MULTI",), tuple(command), ("EXEC",)]) == pack_plain([("MULTI",), tuple(command), ("EXEC",)])


def test_reads_that_were_packed_before_are_packed_the_same_and_not_kept_without_a_bound() -> None:
    for count in (*range(1, 300), *range(1, 300)):
        command = read_now(b"s", b"g", b"c", count)
        assert pack([command]) == pack_plain([command])
    assert len(resp._reads) <= resp._MOST_READS
