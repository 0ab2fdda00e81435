"""Contents and texts that others chose have a bound in bytes wherever they wait or are kept: a bound by count is not enough."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import redis

from redisipc import EntryError, Observation, Rejected, ReportedError
from redisipc.cli.watch.pairs import MOST_WATCHED_BYTES, Pairs
from redisipc.protocol.entry import PENDING, Entry
from redisipc.protocol.events import Incoming
from redisipc.protocol.responder import _mark
from redisipc.protocol.timeouts import Timeouts
from redisipc.runtime.handshake_errors import of_handshake
from redisipc.runtime.observing import Observing
from redisipc.runtime.resp import make_parser
from redisipc.runtime.weight import MOST_HELD_BYTES

from .faces import Face, until

MIB = 1 << 20
LONG = "x" * MIB
SHORT = 2500
"""Characters of the longest message."""


async def test_reports_that_hold_contents_are_bounded_in_bytes(
    face: Face, stream: str, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("redisipc.runtime.threads.backlog.PAUSE", 0.05)
    gate = threading.Event()
    seen: list[Any] = []

    def slow(error: Any) -> Any:
        seen.append(error)
        if face.name == "threads":
            gate.wait(20.0)
            return None
        return waits()

    async def waits() -> None:
        await until(gate.is_set, 20.0)

    member = face.stream(stream, "stock", lambda request: request.content, url=url)
    member.on_error(slow)
    await face.call(member.connect)
    most = MOST_HELD_BYTES // MIB + 2
    session = member._session
    for number in range(2 * most):
        session.report(EntryError(f"{number}", fields=[(b"content", b"x" * MIB)]))
    # A small one still gets through.
    session.report(ReportedError("small", kind="callback"))
    gate.set()
    await until(lambda: "reports were dropped" in caplog.text)
    await until(lambda: seen and str(seen[-1]) == "small")
    assert len(seen) <= most + 1
    # What was held is given back.
    session.report(EntryError("again", fields=[(b"content", b"x" * MIB)]))
    await until(lambda: str(seen[-1]) == "again")


async def test_a_crash_counts_with_its_request(
    face: Face, stream: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights: list[int] = []
    member = face.stream(stream, "stock", lambda request: 1 / 0, url=url)
    member.on_error(lambda error: None)
    await face.call(member.connect)
    session = member._session
    report = session.report
    monkeypatch.setattr(session, "report", lambda error, more=0: (weights.append(more), report(error, more))[1])
    with pytest.raises(Rejected):
        await face.call(member.request, LONG, "stock")
    assert weights
    assert weights[0] >= MIB


async def test_texts_of_others_are_cut_in_messages(face: Face, stream: str, url: str) -> None:
    seen: list[Any] = []
    member = face.stream(stream, "stock", lambda request: 1 / 0, url=url)
    member.on_error(seen.append)
    await face.call(member.connect)
    fields = {"id": LONG, "instance_id": "ab", "status": "pending", "content": "1", "source_group": LONG}
    with redis.Redis.from_url(url, protocol=2) as raw:
        raw.xadd(stream, {**fields, "destination_group": "stock"})
        raw.xadd(stream, {**fields, "destination_group": "stock", LONG: "1"})
        raw.xadd(stream, {**fields, "destination_group": "stock", "status": LONG})
    await until(lambda: len(seen) == 3)
    assert {error.kind for error in seen} == {"handler", "malformed"}
    assert all(len(str(error)) < SHORT for error in seen)
    # The end of the text is there: only the names in it are cut.
    assert any("raised ZeroDivisionError: division by zero" in str(error) for error in seen)


@pytest.mark.parametrize("plain", [True, False])
def test_an_error_of_redis_is_cut(plain: bool) -> None:
    parser = make_parser(plain)
    parser.feed(b"-ERR " + b"x" * 60_000 + b"\r\n")
    failure = parser.gets()
    assert failure.kind == "ERR"
    assert len(failure.message) < SHORT
    text, permanent = of_handshake(redis.AuthenticationError("WRONGPASS " + LONG))
    assert permanent
    assert len(text) < SHORT


def test_an_id_of_any_length_is_remembered_in_a_few_bytes() -> None:
    assert _mark(b"1-0", b"f" * 21) == b"1-0" + b"f" * 21
    assert len(_mark(b"1-0", LONG.encode())) < 50
    assert _mark(b"1-0", LONG.encode()) != _mark(b"1-0", LONG.encode() + b"x")


def test_nobody_asks_for_the_announcement_of_a_sender_with_a_huge_name() -> None:
    class Shared:
        class names:
            stream = b"s"

    timeouts = Timeouts(Shared())  # type: ignore[arg-type]
    incoming = Incoming(b"1-0", b"1", LONG.encode(), b"web", b"1", 0.0)
    assert timeouts.look(incoming, 0.0) == (None, False)
    assert timeouts.look(Incoming(b"1-0", b"1", b"abcdef", b"web", b"1", 0.0), 0.0) == (None, True)


def test_observations_with_huge_names_are_bounded_in_bytes() -> None:
    seen: list[Observation] = []
    observing = Observing([seen.append], lambda _error: None, lambda: None)
    most = MOST_HELD_BYTES // MIB + 2
    for _ in range(2 * most):
        observing.lost(Incoming(b"1-0", LONG.encode(), b"abcdef", b"web", b"1", 0.0), "given up")
    observing.drain()
    assert len(seen) <= most


def test_the_watcher_remembers_contents_up_to_a_bound() -> None:
    pairs = Pairs()
    content = b"x" * MIB
    most = MOST_WATCHED_BYTES // MIB + 1
    for number in range(2 * most):
        pairs.add(Entry(b"1-0", b"%d" % number, b"abcdef", PENDING, content, b"web", b"stock"), 0.0)
    assert len(pairs.left()) <= most
    pairs.add(Entry(b"1-0", b"x", b"abcdef", PENDING, b"x" * 2 * MOST_WATCHED_BYTES, b"web", b"stock"), 0.0)
    assert [each.entry.id for each in pairs.left()] == [b"x"]
