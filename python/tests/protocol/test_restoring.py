"""Consumers of the dead are deleted in batches that have a bound, and nothing that was theirs starts twice for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from redisipc.protocol.replies import PendingEntry
from redisipc.protocol.restoring import CONSUMERS_A_BATCH, delete_consumers, restore


def test_thousands_of_dead_consumers_are_deleted_in_batches_of_a_bound() -> None:
    names = SimpleNamespace(stream="s", group="g", dispatcher=b"dispatcher_a1b2c3")
    shared: Any = SimpleNamespace(singly=False, names=names)
    dead = [b"consumer_%06x" % i for i in range(1050)]
    deleted: list[Any] = []
    sizes: list[int] = []
    work = delete_consumers(shared, dead)
    batch = next(work)
    while True:
        words = [[str(word) if isinstance(word, str) else word for word in command] for command in batch]
        sizes.append(len(batch))
        deleted += [command[4] for command in words if command[:2] == ["XGROUP", "DELCONSUMER"]]
        replies = [
            [] if command[0] == "XPENDING" else [[], 0] if command[0] == "EXEC" else b"QUEUED" for command in words
        ]
        try:
            batch = work.send(replies)
        except StopIteration:
            break
    assert deleted == dead
    assert max(sizes) <= 4 * CONSUMERS_A_BATCH


BODY = [[b"1-0", [
    b"id", b"0" * 21, b"instance_id", b"c0ffee", b"status", b"pending", b"content", b"1",
    b"source_group", b"web", b"destination_group", b"g",
]]]  # fmt: skip
OWN = b"dispatcher_a1b2c3_0"
OTHER = b"dispatcher_d4e5f6_0"


@pytest.mark.parametrize(
    ("consumer", "idle", "owner"),
    [(OTHER, 9_999, OTHER), (OTHER, 10_000, OWN), (b"consumer_d4e5f6_0", 0, OWN), (OWN, 0, OWN), (b"strange", 0, OWN)],
)
def test_what_a_deleted_dispatcher_had_just_read_stays_with_its_instance(
    consumer: bytes, idle: int, owner: bytes
) -> None:
    """RIPC-LIFE-25. An instance that was away for two minutes reads, and starts the request. Meanwhile it counts as dead."""
    names = SimpleNamespace(stream=b"s", group=b"g", dispatcher=OWN)
    shared: Any = SimpleNamespace(names=names, sizes=SimpleNamespace(count=lambda most: most))
    work = restore(shared, [PendingEntry(b"1-0", consumer, idle, 1)])
    assert [command[0] for command in next(work)] == ["XRANGE"]
    (claim,) = work.send([BODY])
    assert claim[:4] == ("XCLAIM", b"s", b"g", owner)
    assert ("IDLE" in claim) is (owner == OWN)
    assert claim[-2:] == ("FORCE", "JUSTID")
