"""In which order what waits to be written leaves, and how much of it at once."""

from __future__ import annotations

import pytest

from redisipc.protocol import commands
from redisipc.protocol.commands import Batch, Command, Failure, Step
from redisipc.protocol.events import Incoming, Outgoing
from redisipc.protocol.names import Names
from redisipc.protocol.outbox import Outbox
from redisipc.protocol.pauses import Pauses
from redisipc.protocol.settings import NEVER, Settings
from redisipc.protocol.sizes import BATCH_BYTES, LEAST_BYTES, Sizes


def outbox(batch_count: int = 512) -> Outbox:
    """Whose steps show what they are made of."""
    box = Outbox(Names(b"s", b"web", b"c0ffee"), Settings("s", "web", batch_count=batch_count), Pauses(), Sizes())
    names = box.names

    def made(*lines: Command) -> Step:
        return Step(list(lines), lambda _replies, _now: None)

    box.make_keep_alive = lambda _now: made(commands.keep(names.stream, names.group, names.dispatcher, [b"1-0"]))
    box.make_give_back = lambda back, _now: made(
        commands.give_back(names.stream, names.group, names.dispatcher, [incoming.entry_id for incoming in back])
    )
    box.make_adds = lambda adds: made(*[("XADD", outgoing.text) for outgoing in adds])
    box.make_answers = lambda answers: made(*[("XADD", b"answer", incoming.entry_id) for incoming in answers])
    return box


def incoming(entry_id: bytes, answer: bytes = b"") -> Incoming:
    one = Incoming(entry_id, b"r" * 21, b"peer01", b"peer", b"1", 0.0)
    one.answer = (b"fulfilled", answer, 0.0)
    return one


def look(*names: bytes) -> Step:
    return Step([("XRANGE", name) for name in names], lambda _replies, _now: None)


def write(*names: bytes) -> Step:
    return Step([("XDEL", name) for name in names], lambda _replies, _now: None)


def sent(batch: Batch | None) -> list[str]:
    return [str(command[0]) for command in batch.commands] if batch is not None else []


def test_a_give_back_leaves_after_the_keep_alive_of_the_same_batch() -> None:
    box = outbox()
    box.keep_due = True
    box.returned.append(incoming(b"2-0"))
    batch = box.take(1, 0.0)
    assert batch is not None
    assert [commands.GIVE_BACK_IDLE_MS in command for command in batch.commands] == [False, True]


def test_a_look_leaves_after_what_was_to_be_written_before_it() -> None:
    box = outbox(batch_count=2)
    for name in (b"1", b"2", b"3"):
        box.add_step(write(name))
    box.add_step(look(b"1"))
    assert sent(box.take(1, 0.0)) == ["XDEL", "XDEL"]
    assert sent(box.take(1, 0.0)) == ["XDEL", "XRANGE"]


def test_while_redis_takes_no_writes_only_looks_leave() -> None:
    box = outbox()
    box.pauses.writes.refused(10.0)
    box.add_step(write(b"1"))
    box.add_step(look(b"1"))
    box.clean(b"1-0", None, 10.0)
    assert sent(box.take(1, 10.0)) == ["XRANGE"]
    assert box.take(1, 10.1) is None
    assert box.due(10.1) == box.pauses.writes.until
    assert sent(box.take(1, box.pauses.writes.until)) == ["XDEL", "XACK"]


def test_while_redis_has_no_memory_what_needs_none_leaves() -> None:
    box = outbox()
    box.pauses.memory.refused(10.0)
    box.adds.append(Outgoing(b"r" * 21, b"1", "stock", 0.0, 5.0))
    box.answers.append(incoming(b"1-0"))
    assert box.due(10.0) == box.pauses.memory.until
    box.add_step(write(b"1"))
    assert sent(box.take(1, 10.0)) == ["XDEL"]
    assert sent(box.take(1, box.pauses.memory.until)) == ["XADD", "XADD"]


def test_a_batch_has_a_bound_in_bytes_and_a_large_text_leaves_alone() -> None:
    box = outbox()
    box.sizes.budget = BATCH_BYTES
    for size in (BATCH_BYTES // 2, BATCH_BYTES // 2, 10, 3 * BATCH_BYTES, 10):
        box.adds.append(Outgoing(b"r" * 21, b"x" * size, "stock", 0.0, 5.0))
    assert [len(sent(box.take(1, 0.0))) for _ in range(4)] == [2, 1, 1, 1]
    assert box.due(0.0) == NEVER


def test_an_answer_that_broke_a_connection_leaves_alone_and_lets_others_pass() -> None:
    box = outbox()
    box.alone.extend((incoming(b"1-0"), incoming(b"2-0")))
    box.answers.append(incoming(b"3-0"))
    batches = [box.take(1, 0.0) for _ in range(3)]
    assert [[command[2] for command in batch.commands] for batch in batches if batch is not None] == [
        [b"1-0"],
        [b"3-0"],
        [b"2-0"],
    ]


def test_a_batch_has_as_many_bytes_as_the_link_carries_in_a_second() -> None:
    sizes = Sizes()
    at_first = sizes.budget
    sizes.wrote(100)
    sizes.took(0.01)
    assert sizes.budget == at_first, "a small batch says nothing of the link"
    sizes.wrote(int(at_first))
    sizes.took(0.01)
    assert sizes.budget == 2 * at_first
    for _ in range(10):
        sizes.wrote(1000)
        sizes.took(3.0)
    assert sizes.budget == LEAST_BYTES
    assert sizes.count(100) < sizes.read_count(100)


def test_an_acknowledgement_that_was_refused_for_good_leaves_with_no_other_batch_before_its_time() -> None:
    box = outbox()
    box.fail = lambda _failure: None
    box.clean(b"1-0", None, 0.0)

    def attempt(now: float, reply: object) -> bool:
        box.add_step(write(b"other"))
        batch = box.take(1, now)
        assert batch is not None
        if "XACK" not in sent(batch):
            return False
        batch.steps[-1].done([reply], now)
        return True

    refused = Failure("NOPERM", "NOPERM no permissions to run the 'xack' command")
    moments = [moment / 4 for moment in range(4 * 16)]
    assert [now for now in moments if attempt(now, refused)] == [0.0, 1.0, 3.0, 7.0, 15.0]
    assert attempt(31.0, 1)
    # Redis took it: the next one begins with short pauses.
    box.clean(b"2-0", None, 40.0)
    assert [now for now in (40.0, 40.5, 41.0, 42.0, 43.0) if attempt(now, refused)] == [40.0, 41.0, 43.0]


def test_entries_for_others_are_acknowledged_late_alone_and_soon_beside_what_is_dealt_with() -> None:
    box = outbox()
    box.skip([b"1-0", b"2-0"], 0.0)
    assert box.take(1, 0.24) is None
    assert sent(box.take(1, 0.25)) == ["XACK"]
    box.skip([b"3-0"], 1.0)
    box.clean(b"4-0", b"4-0", 1.0)
    assert box.due(1.0) == pytest.approx(1.0 + box.linger)
    batch = box.take(1, 1.0 + box.linger)
    assert batch is not None
    assert batch.commands[0][3:] == (b"3-0", b"4-0")


def test_entries_for_others_do_not_shorten_the_wait_after_a_failed_cleaning_up() -> None:
    box = outbox()
    box.skip([b"1-0"], 0.0)
    batch = box.take(1, 0.25)
    assert batch is not None
    batch.steps[0].done([Failure("ERR", "ERR broken")], 0.25)
    box.skip([b"2-0"], 0.25)
    box.clean(b"3-0", None, 0.25)
    assert box.due(0.25) == pytest.approx(1.25)
