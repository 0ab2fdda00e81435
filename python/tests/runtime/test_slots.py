"""Which node of a cluster holds the stream, from what the nodes say, and whom to ask for it."""

from __future__ import annotations

from typing import Any

from redis.crc import key_slot

from redisipc.runtime.asking import MASTER_LIMIT, QUESTION_LIMIT, Order, master_limit
from redisipc.runtime.connection import Place
from redisipc.runtime.slots import Map

A, B, C = ("10.0.0.1", 1), ("10.0.0.2", 2), ("10.0.0.3", 3)
SLOT = key_slot(b"{s}")


def said(holder: tuple[str, int], other: tuple[str, int]) -> list[Any]:
    """A reply to CLUSTER SLOTS: ``holder`` has our slot, ``other`` the rest."""
    one, two = ([host.encode(), port, b"id"] for host, port in (holder, other))
    return [[0, SLOT - 1, two], [SLOT, SLOT, one, two], [SLOT + 1, 16383, two]]


def known() -> Map:
    slots = Map("{s}", [A, B])
    slots.begin(A, [A, B, C])
    return slots


def asked(slots: Map, *now_known: Place) -> list[Place]:
    return slots.to_ask([A, B, C, *now_known])


def test_who_held_the_slot_and_may_hang_is_asked_last() -> None:
    assert asked(known()) == [B, C, A]


def test_what_the_client_learnt_meanwhile_is_asked_and_last_what_it_was_given() -> None:
    slots = Map("{s}", [("name", 1)])
    slots.begin(A, [A, B])
    assert slots.to_ask([C]) == [B, C, ("name", 1), A]


def test_where_a_redirection_led_is_asked_first_until_a_node_has_named_all() -> None:
    slots = known()
    new, newer = ("10.0.1.1", 1), ("10.0.1.2", 2)
    for place in (new, newer, new, ("", 7)):
        slots.led_to(place)
    assert asked(slots) == [new, newer, B, C, A]
    slots.learn(new, said(newer, new), None)
    slots.order.led(new)
    assert asked(slots) == [new, A, B, C, newer]


def test_only_some_redirections_are_remembered() -> None:
    slots = known()
    for number in range(1000):
        slots.led_to(("10.0.2.1", number))
    assert len(asked(slots)) < 30


def test_the_holder_is_taken_from_the_first_that_says_it() -> None:
    slots = known()
    assert slots.learn(B, said(C, B), None)
    assert slots.node == C
    slots.order.led(B)
    assert asked(slots) == [B, A, C]


def test_the_nodes_of_the_beginning_are_asked_still_when_all_others_were_replaced() -> None:
    slots = known()
    new = [(f"10.0.1.{n}", n) for n in (1, 2)]
    slots.order.asks(B)
    assert slots.learn(B, said(new[0], new[1]), None)
    slots.order.led(B)
    assert asked(slots) == [B, new[1], A, C, new[0]]


def test_a_reply_without_our_slot_tells_nothing() -> None:
    slots = known()
    assert not slots.learn(B, [[0, SLOT - 1, [b"10.0.0.2", 2, b"id"]]], None)
    assert not slots.learn(B, "CLUSTERDOWN", None)
    assert slots.node == A


def test_a_node_without_a_name_is_reached_as_the_one_that_was_asked() -> None:
    slots = known()
    assert slots.learn(B, said(("", 9), B), None)
    assert slots.node == ("10.0.0.2", 9)


def test_addresses_are_mapped_as_the_client_says() -> None:
    slots = known()
    assert slots.learn(B, said(C, B), lambda place: ("localhost", place[1]))
    assert slots.node == ("localhost", 3)


def test_who_does_not_answer_is_asked_last_and_may_take_longer_then() -> None:
    order: Order[str] = Order()
    for name in "abc":
        assert order.limit(name, 5.0) == QUESTION_LIMIT
        order.asks(name)
    order.answered("c")
    order.led("c")
    assert order.of("abcd") == ["c", "d", "a", "b"]
    # The holder comes after those that answer, and before those that do not.
    assert order.of("abcd", last="c") == ["d", "c", "a", "b"]
    assert order.limit("a", 5.0) == 5.0
    assert order.limit("c", 0.1) == 0.1
    order.asks("a")
    assert order.of("abcd") == ["c", "d", "b", "a"]


def test_an_opening_that_ends_at_any_node_continues_with_the_next_one() -> None:
    """Each opening has a limit: with more nodes that hang than it can ask, a fixed order would never reach the last one."""
    order: Order[int] = Order()
    nodes = list(range(20))
    found = False
    for _ in range(7):
        for node in order.of(nodes)[:3]:
            order.asks(node)
            found = found or node == 19
    assert found


def test_a_node_whose_answer_leads_nowhere_is_asked_after_the_others() -> None:
    """For example a node that is cut off from the others: it names the old master for ever."""
    slots = known()
    assert asked(slots) == [B, C, A]
    slots.order.asks(B)
    assert slots.learn(B, said(A, C), None)
    assert asked(slots) == [C, B, A]
    slots.order.asks(C)
    assert slots.learn(C, said(B, C), None)
    slots.order.led(C)
    assert asked(slots) == [C, A, B]


def test_a_master_that_was_named_quickly_must_answer_quickly() -> None:
    assert master_limit(1.0, 0.01) == 1.0
    assert master_limit(5.0, 0.01) == MASTER_LIMIT
    # On a slow link the question took long, too.
    assert master_limit(5.0, 1.0) == 4.0
    assert master_limit(5.0, 3.0) == 5.0


def test_forgotten_nodes_leave_nothing_behind() -> None:
    order: Order[int] = Order()
    for node in range(1000):
        order.asks(node)
        order.keep([node])
    assert order.of([1, 2, 999]) == [1, 2, 999]
    assert len(order._silent) == 1
