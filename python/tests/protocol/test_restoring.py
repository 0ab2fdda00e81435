"""Consumers of the dead are deleted in batches that have a bound, however many there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from redisipc.protocol.restoring import CONSUMERS_A_BATCH, delete_consumers


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
