"""Replies of a hub in bytes: short ways for what comes most write the same as the long one."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.entry import build
from redisipc.runtime.resp import MISSING, make_parser
from redisipc.testing.resp import encode

BODY = list(build(b"1", b"a", b"pending", "ä\r\n".encode(), b"web", b"stock"))
OTHER = list(build(b"2", b"b", b"fulfilled", b"", b"stock", b"web"))
READ = [[b"shop", [[b"1-0", BODY]]]]


@pytest.mark.parametrize(
    "reply",
    [
        None, 7, -1, b"", b"a b", [], [None], [[]], [1], [b"1-0", 1, 1, None],
        READ, [[b"shop", [[b"1-0", BODY], [b"2-0", OTHER]]]], [[b"shop", []]], [[b"shop", [[b"1-0", None]]]],
        [b"1-0", READ], [b"1-0", 1, READ], [READ, READ], [1, [b"a"], READ, None],
        [[b"1-0", BODY]], [[b"1-0", BODY], [b"2-0", OTHER]], [b"1-0", BODY], [b"1-0", [b"a", b"b"]],
        [[b"name", b"stock", b"pending", 3]], [b"length", 1, b"groups", 2], [[[b"a", [b"b", 1]]]],
        [b"0", [[b"1-0", b"a", 5, 1]]], [BODY], [[BODY]], BODY, BODY[:10], [b"x", BODY[:10]], [b"x", [*BODY, b"a", b"b"]],
    ],
)  # fmt: skip
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "hiredis"])
def test_a_client_reads_what_the_model_said(reply: Any, plain: bool) -> None:
    parser = make_parser(plain)
    parser.feed(encode(reply))
    assert parser.gets() == reply
    assert parser.gets() is MISSING


def test_a_failure_stands_where_it_belongs() -> None:
    parser = make_parser()
    parser.feed(encode([b"1-0", Failure("ERR", "ERR no\r\nline"), READ]))
    assert parser.gets() == [b"1-0", Failure("ERR", "ERR no line"), READ]


def test_a_body_is_not_taken_for_another_one() -> None:
    for number in range(200):
        read = [[b"shop", [[b"1-0", list(build(b"%d" % number, b"a", b"pending", b"1", b"web", b"stock"))]]]]
        parser = make_parser()
        parser.feed(encode(read) + encode([b"1-0", read]))
        assert (parser.gets(), parser.gets()) == (read, [b"1-0", read])
