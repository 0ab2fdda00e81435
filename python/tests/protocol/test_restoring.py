"""Consumers of the dead are deleted in batches that have a bound, and nothing that was theirs starts twice for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from redisipc.protocol.commands import Command
from redisipc.protocol.entry import build
from redisipc.protocol.pauses import Pauses
from redisipc.protocol.replies import PendingEntry
from redisipc.protocol.restoring import CONSUMERS_A_BATCH, delete_consumers, restore

from ..support_core import Hand


def test_thousands_of_dead_consumers_are_deleted_in_batches_of_a_bound() -> None:
    names = SimpleNamespace(stream="s", group="g", dispatcher=b"dispatcher_a1b2c3")
    shared: Any = SimpleNamespace(singly=False, names=names, now=0.0, pauses=Pauses())
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


def body(status: bytes = b"pending", instance: bytes = b"c0ffee", to: bytes = b"g") -> list[Any]:
    return [[b"1-0", list(build(b"0" * 21, instance, status, b"1", b"web", to))]]


BODY = body()
OWN = b"dispatcher_a1b2c3_0"
OTHER = b"dispatcher_d4e5f6_0"


@pytest.mark.parametrize(
    ("consumer", "idle", "owner"),
    [
        (OTHER, 9_999, OTHER),
        (OTHER, 10_000, OWN),
        (b"consumer_d4e5f6_0", 0, b"consumer_d4e5f6_0"),
        (OWN, 0, OWN),
        (b"strange", 0, OWN),
    ],
)
def test_what_an_instance_had_just_been_given_stays_with_it(consumer: bytes, idle: int, owner: bytes) -> None:
    """RIPC-LIFE-25. An instance that was away for two minutes reads, and starts the request. Meanwhile it counts as dead."""
    names = SimpleNamespace(stream=b"s", group=b"g", dispatcher=OWN, instance=b"a1b2c3")
    shared: Any = SimpleNamespace(names=names, sizes=SimpleNamespace(count=lambda most: most))
    work = restore(shared, [PendingEntry(b"1-0", consumer, idle, 1)])
    assert [command[0] for command in next(work)] == ["XRANGE"]
    (claim,) = work.send([BODY])
    assert claim[:4] == ("XCLAIM", b"s", b"g", owner)
    assert ("IDLE" in claim) is (owner == OWN)
    assert claim[-2:] == ("FORCE", "JUSTID")


def restored(entry: list[Any], consumer: bytes, idle: int) -> list[Any]:
    names = SimpleNamespace(stream=b"s", group=b"g", dispatcher=OWN, instance=b"a1b2c3")
    shared: Any = SimpleNamespace(names=names, sizes=SimpleNamespace(count=lambda most: most))
    work = restore(shared, [PendingEntry(b"1-0", consumer, idle, 1)])
    next(work)
    try:
        return work.send([entry])
    except StopIteration:
        return []


def test_a_response_that_was_just_handed_to_who_is_back_stays_there() -> None:
    """RIPC-LIFE-25, G9. It was deleted, as that of an instance that is gone: its requester timed out."""
    response = body(b"fulfilled", b"d4e5f6")
    (claim,) = restored(response, b"consumer_d4e5f6_0", 200)
    assert claim[:4] == ("XCLAIM", b"s", b"g", b"consumer_d4e5f6_0")
    assert restored(response, b"consumer_d4e5f6_0", 10_000) == [("XDEL", b"s", b"1-0")]


def test_what_is_given_back_has_the_mark_of_what_it_is() -> None:
    """RIPC-GROUP-24."""
    (request,) = restored(BODY, OTHER, 10_000)
    (response,) = restored(body(b"fulfilled", b"c0ffee"), OTHER, 10_000)
    assert [claim[claim.index("IDLE") + 1] for claim in (request, response)] == [315_360_000_000, 630_720_000_000]


def test_what_is_for_another_group_is_not_restored() -> None:
    """Its reader would only acknowledge it, and may have done so: it would be pending there until somebody reclaims it."""
    assert restored(body(to=b"stock"), OTHER, 200) == []


class Sweeping:
    """A member that has been connected for long, and an instance whose consumers nobody has used for over two minutes."""

    def __init__(self) -> None:
        self.hand = Hand(refresh=8.0).up()
        self.registered = False
        self.asked = 0
        self.hand.special |= {"XINFO CONSUMERS": self.consumers, "LRANGE": self.list}
        self.hand.pass_time(101.0)
        self.asked = 0

    def consumers(self, _command: Command) -> list[Any]:
        idle = int((self.hand.now - 80.0) * 1000)
        names = (b"dispatcher_d4e5f6_0", b"consumer_d4e5f6_0")
        return [[b"name", name, b"pending", 0, b"idle", idle] for name in names]

    def list(self, _command: Command) -> list[Any]:
        self.asked += 1
        return [b"consumer_d4e5f6_0"] if self.registered and self.asked > 1 else []

    def sweep(self, late: float = 0.0) -> list[Any]:
        """The consumers that it deletes at its next look. ``late``: how long after a command the reply to it comes."""
        deleted: list[Any] = []
        for _ in range(200):
            self.hand.now += 0.2
            self.hand.endpoint.tick(self.hand.now)
            while (batch := self.hand.endpoint.next_batch(self.hand.now)) is not None:
                asks = any(
                    command[0] in ("LRANGE", "XPENDING") and "d4e5f6" in repr(command) for command in batch.commands
                )
                replies = self.hand.answers(batch)
                self.hand.now += late * (late > 0 and self.asked > 0 and asks)
                deleted += [command[4] for command in batch.commands if command[:2] == ("XGROUP", "DELCONSUMER")]
                self.hand.endpoint.batch_done(batch, replies, self.hand.now)
                self.hand.drain()
        return sorted(set(deleted))


def test_consumers_of_the_dead_are_deleted_after_another_look() -> None:
    given = Sweeping()
    assert given.sweep() == [b"consumer_d4e5f6_0", b"dispatcher_d4e5f6_0"]
    assert given.asked >= 2


def test_an_instance_that_is_back_by_the_second_look_keeps_its_consumers() -> None:
    """RIPC-LIFE-23. The first look showed no list."""
    given = Sweeping()
    given.registered = True
    assert given.sweep() == []
    assert given.asked >= 2


def test_what_an_old_look_showed_deletes_nothing() -> None:
    """RIPC-LIFE-23: at most 3 s old, here 5 s."""
    assert Sweeping().sweep(late=2.5) == []
    assert Sweeping().sweep(late=1.0) != []
