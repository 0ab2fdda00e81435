"""Each cell of the routing table, applied to an entry that was read."""

from __future__ import annotations

from redisipc.protocol.events import Problem
from redisipc.protocol.routing import ROUTES, Action, route

from ..support_core import Hand

SIBLING = b"51b110"


def test_an_entry_for_another_group_is_acknowledged_only() -> None:
    hand = Hand().up()
    row = hand.request(to=b"other")
    assert hand.read(row) == []
    assert hand.pass_time(0.25) == [("XACK", b"s", b"web", row[0])]


def test_a_response_to_nobody_is_acknowledged_and_deleted() -> None:
    hand = Hand().up()
    row = hand.response(b"unknown")
    assert hand.read(row) == []
    assert hand.pass_time(0.1) == [("XACK", b"s", b"web", row[0]), ("XDEL", b"s", row[0])]


def test_a_response_for_a_sibling_is_handed_to_its_consumer_and_the_sibling_woken() -> None:
    hand = Hand().up()
    hand.special["LRANGE"] = [b"consumer_51b110_0"]
    hand.special["GET"] = b'{"spec":"1.0","features":["wakeup"]}'
    row = hand.response(b"x", instance=SIBLING)
    hand.read(row)
    sent = hand.write_all()
    assert ("XCLAIM", b"s", b"web", b"consumer_51b110_0", 0, row[0], "JUSTID") in sent
    assert ("PUBLISH", b"s:web:51b110:wakeup", b"") in sent
    assert "XACK" not in hand.names_sent(hand.pass_time(0.5))


def test_a_response_for_an_instance_that_is_gone_is_dropped_after_twelve_seconds() -> None:
    hand = Hand().up()
    row = hand.response(b"x", instance=SIBLING)
    hand.read(row)
    assert "XACK" not in hand.names_sent(hand.pass_time(11.9))
    sent = hand.pass_time(0.5)
    assert ("XACK", b"s", b"web", row[0]) in sent
    assert ("XDEL", b"s", row[0]) in sent


def test_an_instance_that_registers_within_the_grace_gets_its_response() -> None:
    hand = Hand().up()
    row = hand.response(b"x", instance=SIBLING)
    hand.read(row)
    hand.pass_time(2)
    hand.special["LRANGE"] = [b"consumer_51b110_0"]
    hand.special["XINFO CONSUMERS"] = [[b"name", b"consumer_51b110_0", b"pending", 0, b"idle", 10]]
    assert ("XCLAIM", b"s", b"web", b"consumer_51b110_0", 0, row[0], "JUSTID") in hand.pass_time(9)


def test_a_malformed_entry_for_us_is_reported_acknowledged_and_deleted() -> None:
    hand = Hand().up()
    row = hand.request()
    row[1] += [b"seventh", b"x"]
    [problem] = hand.read(row)
    assert isinstance(problem, Problem)
    assert (b"seventh", b"x") in problem.fields
    assert hand.pass_time(0.1) == [("XACK", b"s", b"web", row[0]), ("XDEL", b"s", row[0])]


def test_a_malformed_entry_for_nobody_is_reported_and_left_in_the_stream() -> None:
    hand = Hand().up()
    row = [hand.next_id(), [b"id", b"x"]]
    [problem] = hand.read(row)
    assert isinstance(problem, Problem)
    assert hand.pass_time(0.1) == [("XACK", b"s", b"web", row[0])]


def test_a_malformed_entry_for_others_is_theirs() -> None:
    hand = Hand().up()
    row = hand.request(to=b"other")
    row[1] += [b"seventh", b"x"]
    assert hand.read(row) == []
    assert hand.pass_time(0.1) == [("XACK", b"s", b"web", row[0])]


def test_a_group_may_ask_itself() -> None:
    hand = Hand().up()
    outgoing = hand.endpoint.send(b"1", "web", 5.0, hand.now)
    hand.write_all()
    hand.read(hand.request(outgoing.id))
    assert len(hand.started()) == 1


def test_an_entry_whose_body_is_gone_is_acknowledged() -> None:
    hand = Hand().up()
    assert hand.read([b"1-0", None]) == []
    assert hand.pass_time(0.25) == [("XACK", b"s", b"web", b"1-0")]


def test_every_cell_of_the_table_has_an_action() -> None:
    assert {cell.action for cell in ROUTES.values()} == set(Action)
    assert route("own", "response", True, True) is Action.DELIVER
