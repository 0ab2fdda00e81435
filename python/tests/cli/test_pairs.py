"""Requests and answers become one line; MONITOR's lines become words. No Redis."""

from __future__ import annotations

import pytest

from redisipc.cli.output import Output, ago, columns_of, cut, safe
from redisipc.cli.watch import show
from redisipc.cli.watch.monitor import added, parse, quoted
from redisipc.cli.watch.pairs import MOST_REMEMBERED, Line, Pairs
from redisipc.protocol.entry import Entry, Malformed


def request(id: bytes = b"1", content: bytes = b'{"event":"reserve","params":{"sku":1}}') -> Entry:
    return Entry(b"1000-0", id, b"a1b2c3", b"pending", content, b"web", b"stock")


def response(id: bytes = b"1", status: bytes = b"fulfilled", content: bytes = b"7") -> Entry:
    return Entry(b"1001-0", id, b"a1b2c3", status, content, b"stock", b"web")


def exchange(pairs: Pairs, answer: Entry, after: float = 0.5) -> Line:
    assert pairs.add(request(), 10.0) is None
    line = pairs.add(answer, 10.0 + after)
    assert line is not None
    return line


def plain(line: Line, width: int = 200, content: bool = True) -> str:
    out = Output()
    out.__class__ = type("Wide", (Output,), {"width": width})
    return show.text(out, line, content).partition(" ")[2]


def test_an_exchange_is_one_line() -> None:
    line = exchange(Pairs(), response())
    assert (line.kind, line.elapsed, line.marks) == ("exchange", 0.5, ())
    assert plain(line) == 'web -> stock reserve {"sku":1} => 7  500 ms'
    assert plain(line, content=False) == "web -> stock reserve =>  500 ms"


@pytest.mark.parametrize(
    ("answer", "after", "mark"), [(response(status=b"rejected"), 0.1, "rejected"), (response(), 2.0, "slow")]
)
def test_marks(answer: Entry, after: float, mark: str) -> None:
    assert exchange(Pairs(slow=1.0), answer, after).marks == (mark,)


def test_an_answer_whose_request_was_not_seen_is_orphaned() -> None:
    line = Pairs().add(response(), 1.0)
    assert line is not None
    assert (line.kind, line.marks, line.source, line.destination) == ("orphan", ("orphaned",), "web", "stock")


def test_what_was_there_before_finds_its_answer() -> None:
    pairs = Pairs()
    pairs.known(request(), 1.0)
    line = pairs.add(response(), 2.0)
    assert line is not None
    assert line.kind == "exchange"


def test_an_answer_after_its_requester_gave_up_is_late_and_a_second_start_is_marked() -> None:
    pairs = Pairs()
    pairs.add(request(), 1.0)
    [each] = pairs.old(3.0, 1.0)
    each.starts = 2
    line = pairs.given_up(each, 3.0)
    assert line is not None
    assert line.marks == ("unanswered", "redelivered")
    assert pairs.given_up(each, 4.0) is None
    late = pairs.add(response(), 5.0)
    assert late is not None
    assert late.marks == ("redelivered", "late")


def test_what_is_malformed_is_said() -> None:
    line = Pairs().add(Malformed(b"5-0", "missing field id", [], b"stock"), 1.0)
    assert line is not None
    assert plain(line) == "malformed missing field id; for group 'stock'; entry 5-0"


def test_it_remembers_a_bounded_number() -> None:
    pairs = Pairs()
    for number in range(MOST_REMEMBERED + 5):
        pairs.add(request(b"%d" % number), 1.0)
    assert len(pairs.left()) == MOST_REMEMBERED


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_long_line_is_cut_to_the_terminal(width: int) -> None:
    pairs = Pairs()
    pairs.add(request(content=b'"' + "日本".encode() * 200 + b'"'), 1.0)
    line = pairs.add(response(content=b"x" * 500), 2.0)
    assert line is not None
    shown = "12:00:01.123 " + plain(line, width)
    assert columns_of(shown) <= width
    assert shown.endswith("1.0 s")


def test_contents_forge_no_lines_and_no_colours() -> None:
    pairs = Pairs()
    pairs.add(request(content=b"a\n\x1b[31mred\xe2\x80\xae"), 1.0)
    line = pairs.add(response(content=b"1"), 2.0)
    assert line is not None
    assert plain(line) == r"web -> stock a\u000a\u001b[31mred\u202e => 1  1.0 s"
    assert safe("é 日本") == "é 日本"


def test_columns() -> None:
    assert (columns_of("日本"), columns_of("é"), cut("abcdef", 5), cut("日本語", 5)) == (4, 1, "ab...", "日...")
    assert [ago(each) for each in (0.0, 0.00041, 0.00112, 0.5, 3.21, 65, 600, 90000, 300000)] == [
        "0 ms", "0.41 ms", "1.12 ms", "500 ms", "3.2 s", "65 s", "10 min", "25 h", "3 d",
    ]  # fmt: skip


@pytest.mark.parametrize("word", [b"plain", b'a"b\\', b"\x00\xff\n\r\t", "日本 é".encode(), b""])
def test_monitors_words_are_read_as_they_were_sent(word: bytes) -> None:
    seen = parse(b'+1700000000.123456 [0 127.0.0.1:5000] "XADD" ' + quoted(word) + b"\r")
    assert seen is not None
    assert seen == (1700000000.123456, "127.0.0.1:5000", [b"XADD", word])


def test_words_of_a_server_that_escapes_no_quotes() -> None:
    content = b'{"a":"x\\"y" "b"}'
    head = b'+1.5 [0 x:1] "XADD" "shop" "*" "id" "1" "instance_id" "a" "status" "pending" "content" "'
    seen = parse(head + content + b'" "source_group" "web" "destination_group" "stock"')
    assert seen is not None
    fields = added(seen.words)
    assert fields is not None
    assert fields[7] == content
    assert len(fields) == 12
    assert added([b"XDEL", b"shop", b"*"]) is None


@pytest.mark.parametrize("line", [b"+OK", b"", b"nonsense [", b"+1.0 [0 x] no words"])
def test_what_is_no_line_of_monitor_is_left_out(line: bytes) -> None:
    assert parse(line) is None
