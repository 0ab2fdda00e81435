"""A send that ends without an answer says why, in the batch of its last look and at no other cost."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.protocol.commands import GIVE_BACK_IDLE_MS, Command, Failure
from redisipc.protocol.events import Finished, Outcome

from ..support_core import Hand

DISPATCHER = b"dispatcher_a1b2c3_0"


def groups(last: bytes, **more: Any) -> list[Any]:
    about = [part for name, value in more.items() for part in (name.encode(), value)]
    return [[b"name", name, b"last-delivered-id", last, *about] for name in (b"web", b"stock")]


def consumers(*idle: int) -> list[Any]:
    return [[b"name", b"dispatcher_%06x_0" % n, b"pending", 0, b"idle", each] for n, each in enumerate(idle)]


def late(hand: Hand, to: str = "stock", timeout: float = 0.4) -> Outcome:
    """The outcome of a send that nobody answers."""
    hand.endpoint.send(b"1", to, timeout, hand.now)
    hand.write_all()
    hand.pass_time(timeout + 1.0)
    return [event.outcome for event in hand.events if isinstance(event, Finished)][-1]


def test_a_missing_group_names_those_that_are_there() -> None:
    found = late(Hand().up(), to="stok")
    assert (found.status, found.diagnosis) == ("timeout", "no_such_group")
    assert found.reason.endswith(
        "there is no group 'stok' (groups here: other, peer, peers, stock, web); did you mean 'stock'?"
    )


@pytest.mark.parametrize(
    ("special", "word", "text"),
    [
        ({"XINFO GROUPS": groups(b"5-0"), "XINFO CONSUMERS": consumers(41_000)}, "no_live_instance", "last seen 41 s ago"),
        ({"XINFO GROUPS": groups(b"5-0"), "XINFO CONSUMERS": []}, "no_live_instance", "has no living instance"),
        (
            {"XINFO GROUPS": groups(b"5-0", lag=37), "XINFO CONSUMERS": consumers(10, 12_000)},
            "not_read",
            "not read yet: 2 instances; 37 entries wait for the group",
        ),
        (
            {"XINFO GROUPS": groups(b"5-0"), "XINFO CONSUMERS": consumers(12_000)},
            "not_read",
            "1 instance, the last active 12 s ago",
        ),
        (
            {"XPENDING": lambda command: [[command[3], DISPATCHER, 900, 1]]},
            "held",
            "held by stock/a1b2c3 (delivered once)",
        ),
        (
            {"XPENDING": lambda command: [[command[3], DISPATCHER, GIVE_BACK_IDLE_MS, 1]], "XINFO CONSUMERS": consumers(5)},
            "not_read",
            "no instance of group 'stock' had room for it: 1 instance",
        ),
        (
            {"XINFO GROUPS": groups(b"9" * 14 + b"-0"), "XINFO CONSUMERS": consumers(5)},
            "not_held",
            "group 'stock' does not hold it: it was stored before the group was made, or a member acknowledged it",
        ),
    ],
)  # fmt: skip
def test_what_redis_shows_is_told(special: dict[str, Any], word: str | None, text: str) -> None:
    hand = Hand().up()
    hand.special.update(special)
    found = late(hand)
    assert (found.status, found.diagnosis) == ("timeout", word)
    assert text in found.reason
    assert found.reason.startswith("no answer from group 'stock' within 0.4 s: ")


def test_the_questions_come_behind_the_look_in_its_batch() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "stock", 0.4, hand.now)
    hand.write_all()
    hand.now += 0.4
    hand.endpoint.tick(hand.now)
    batch = hand.begin()
    names = [" ".join(map(str, command[:2])) if command[0] == "XINFO" else command[0] for command in batch.commands]
    assert names[0] == "XDEL"
    assert names[-4:] == ["XRANGE", "XINFO GROUPS", "XINFO CONSUMERS", "XPENDING"]
    assert batch.commands[-1] == ("XPENDING", b"s", b"stock", outgoing.entry_id, outgoing.entry_id, 1)


def test_many_timeouts_share_one_look_and_it_is_made_once_a_second() -> None:
    hand = Hand().up()
    for number in range(200):
        hand.endpoint.send(b"1", f"group {number % 20}", 0.3 + number / 200, hand.now)
    sent = hand.pass_time(1.6)
    assert 1 <= sent.count(("XINFO", "GROUPS", b"s")) - EARLY <= 2
    assert sum(command[:2] == ("XINFO", "CONSUMERS") for command in sent) <= 8 + 1
    assert sum(command[0] == "XPENDING" and command[-1] == 1 for command in sent) <= 32
    told = [event.outcome for event in hand.events if isinstance(event, Finished)]
    assert {outcome.diagnosis for outcome in told} == {"no_such_group"}
    assert len(told) == 200


EARLY = 2
"""Looks of the early end, which asks after half a second and once more."""


def test_without_the_right_it_is_asked_once_and_the_timeout_comes_all_the_same() -> None:
    def refuse(_: Command) -> Failure:
        return Failure("NOPERM", "NOPERM no permission")

    hand = Hand(early_end=False).up()
    hand.special.update({"XINFO GROUPS": refuse, "XINFO CONSUMERS": refuse})
    assert late(hand).reason == "no answer from group 'stock' within 0.4 s"
    hand.sent.clear()
    found = late(hand)
    assert (found.status, found.diagnosis) == ("timeout", None)
    assert ("XINFO", "GROUPS", b"s") not in hand.sent


def test_who_lost_redis_says_so() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "stock", 0.4, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, False, "connection refused", hand.now)
    hand.now += 0.5
    hand.endpoint.tick(hand.now)
    hand.drain()
    found = [event.outcome for event in hand.events if isinstance(event, Finished)][-1]
    assert (found.status, found.diagnosis) == ("timeout", "redis_away")
    assert "no working connection to Redis: connection refused" in found.reason


def test_who_lost_the_connection_while_it_wrote_says_that_it_may_not_be_stored() -> None:
    hand = Hand().up()
    hand.special.update({"XINFO CONSUMERS": consumers(5)})
    hand.endpoint.send(b"1", "stock", 3.0, hand.now)
    hand.begin()
    hand.lose()
    hand.pass_time(4.0)
    found = [event.outcome for event in hand.events if isinstance(event, Finished)][-1]
    assert (found.status, found.diagnosis) == ("timeout", None)
    assert found.reason == (
        "no answer from group 'stock' within 3 s: Redis did not acknowledge the request, so it may not be stored"
    )


def test_a_look_that_is_not_answered_delays_nothing() -> None:
    hand = Hand().up()
    hand.endpoint.send(b"1", "stock", 0.4, hand.now)
    hand.write_all()
    hand.now += 0.4
    hand.endpoint.tick(hand.now)
    assert hand.endpoint.next_batch(hand.now) is not None
    hand.now += 0.5
    hand.endpoint.tick(hand.now)
    hand.drain()
    assert [event.outcome.status for event in hand.events if isinstance(event, Finished)] == ["timeout"]


def told(hand: Hand) -> list[Outcome]:
    return [event.outcome for event in hand.events if isinstance(event, Finished)]


def held(command: Command) -> list[Any]:
    return [[command[3], DISPATCHER, 900, 1]]


def test_who_ends_within_a_second_of_a_look_shares_its_answers() -> None:
    hand = Hand(early_end=False).up()
    hand.special.update(
        {"XPENDING": held, "XINFO GROUPS": groups(b"9" * 14 + b"-0", pending=3), "XINFO CONSUMERS": consumers(5)}
    )
    for to, timeout in (("stock", 0.3), ("stock", 0.5), ("web", 0.8)):
        hand.endpoint.send(b"1", to, timeout, hand.now)
    hand.write_all()
    sent = hand.pass_time(1.2)
    assert sent.count(("XINFO", "GROUPS", b"s")) == 1
    assert [outcome.diagnosis for outcome in told(hand)] == ["held"] * 3
    texts = [outcome.reason.partition(": ")[2] for outcome in told(hand)]
    assert texts[0] == "held by stock/a1b2c3 (delivered once)"
    past = "group '{}' has read past it and did not answer in time (3 pending there, perhaps this one) ({} s before)"
    assert texts[1:] == [past.format("stock", 0.2), past.format("web", 0.5)]


def test_of_many_at_once_each_has_a_diagnosis() -> None:
    hand = Hand(early_end=False).up()
    hand.special.update(
        {"XPENDING": held, "XINFO GROUPS": groups(b"9" * 14 + b"-0", pending=40), "XINFO CONSUMERS": consumers(5)}
    )
    for _ in range(40):
        hand.endpoint.send(b"1", "stock", 0.3, hand.now)
    hand.write_all()
    sent = hand.pass_time(1.2)
    assert sum(command[0] == "XPENDING" and command[-1] == 1 for command in sent) == 16
    assert [outcome.diagnosis for outcome in told(hand)] == ["held"] * 40
    texts = [outcome.reason.partition(": ")[2] for outcome in told(hand)]
    assert texts.count("held by stock/a1b2c3 (delivered once)") == 16
    rest = "group 'stock' has read past it and did not answer in time (40 pending there, perhaps this one)"
    assert texts.count(rest) == 24


def test_answers_that_are_older_than_a_request_do_not_say_that_it_is_unread() -> None:
    hand = Hand(early_end=False).up()
    hand.special.update({"XPENDING": [], "XINFO GROUPS": groups(b"5-0"), "XINFO CONSUMERS": consumers(5)})
    hand.endpoint.send(b"1", "stock", 0.3, hand.now)
    hand.write_all()
    hand.pass_time(0.4)
    # The group may have read it meanwhile: nobody looked.
    hand.endpoint.send(b"1", "stock", 0.3, hand.now)
    hand.write_all()
    hand.pass_time(0.4)
    assert [outcome.diagnosis for outcome in told(hand)] == ["not_read", None]
