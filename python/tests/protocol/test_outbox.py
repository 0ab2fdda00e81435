"""In which order what waits to be written leaves."""

from __future__ import annotations

from redisipc.protocol import commands
from redisipc.protocol.commands import GIVE_BACK_IDLE, Command, Step
from redisipc.protocol.names import Names
from redisipc.protocol.outbox import Outbox
from redisipc.protocol.settings import Settings


def outbox(batch_count: int = 512) -> Outbox:
    return Outbox(Names(b"s", b"web", b"c0ffee"), Settings("s", "web", batch_count=batch_count))


def keep_alive(box: Outbox, *ids: bytes) -> None:
    line = commands.keep(box.names.stream, box.names.group, box.names.dispatcher, list(ids))
    box.steps.append(Step([line], lambda _replies, _now: None))


def gives_back(command: Command) -> bool:
    return command[0] == "XCLAIM" and GIVE_BACK_IDLE in command


def test_a_give_back_leaves_after_the_keep_alive_that_was_made_before_it() -> None:
    box = outbox()
    keep_alive(box, b"1-0", b"2-0")
    box.returned.append(b"2-0")
    batch = box.take(1, 0.0)
    assert batch is not None
    assert [gives_back(command) for command in batch.commands if command[0] == "XCLAIM"] == [False, True]


def test_a_give_back_waits_where_the_keep_alive_does_not_fit_into_the_batch() -> None:
    box = outbox(batch_count=1)
    keep_alive(box, b"1-0")
    keep_alive(box, b"2-0")
    box.returned.append(b"2-0")
    first, second = box.take(1, 0.0), box.take(1, 0.0)
    assert first is not None
    assert second is not None
    assert not any(map(gives_back, first.commands))
    assert [gives_back(command) for command in second.commands if command[0] == "XCLAIM"] == [False, True]
