"""Joining and staying findable: the group, the consumers, the registration, its own list."""

from __future__ import annotations

import pytest

from redisipc.protocol.commands import Failure
from redisipc.protocol.events import Problem, State

from ..support_core import Hand


def test_joining_makes_group_consumers_and_registration_before_anything_is_written() -> None:
    hand = Hand()
    hand.endpoint.start(hand.now)
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    names = hand.names_sent(hand.write_all())
    assert names.index("LPUSH") < names.index("XADD")
    registration = b"s:web:%b:consumers" % hand.instance
    consumer = b"consumer_%b_0" % hand.instance
    at = hand.sent.index(("LREM", registration, 0, consumer))
    assert hand.sent[at - 1 : at + 4] == [
        ("MULTI",),
        ("LREM", registration, 0, consumer),
        ("LPUSH", registration, consumer),
        ("EXPIRE", registration, 100),
        ("EXEC",),
    ]


def test_a_taken_instance_id_is_given_up_for_another() -> None:
    hand = Hand()
    taken = hand.instance
    answers = {f"dispatcher_{taken.decode()}_0".encode(): 0}
    original = hand.reply
    hand.reply = lambda command: answers.get(command[-1], original(command))  # type: ignore[method-assign, arg-type]
    hand.endpoint.start(hand.now)
    hand.write_all()
    assert hand.endpoint.state is State.UP
    assert hand.instance != taken


def test_an_idle_endpoint_sends_less_than_two_commands_a_second_and_stays_registered() -> None:
    hand = Hand().up()
    hand.pass_time(1)
    sent = hand.pass_time(3600)
    assert len(sent) < 2 * 3600
    registration = b"s:web:%b:consumers" % hand.instance
    assert sent.count(("EXPIRE", registration, 100)) >= 3600 / 30


def test_a_known_sibling_is_asked_for_twice_a_minute_however_many_there_are() -> None:
    """RIPC-GROUP-8 asks for a look within 30 s: what an idle group sends grows with its square, and no faster."""
    hand = Hand().up()
    names = [b"%06x" % number for number in range(1, 51)]
    hand.special["XINFO CONSUMERS"] = [
        [b"name", b"%s_%s_0" % (kind, name), b"pending", 0, b"idle", 10]
        for name in names
        for kind in (b"dispatcher", b"consumer")
    ]
    lists = {b"s:web:%b:consumers" % name: [b"consumer_%b_0" % name] for name in names}
    hand.special["LRANGE"] = lambda command: lists.get(command[1], [])
    hand.pass_time(40.0)
    sent = hand.pass_time(120.0)
    asked = [sum(command[:2] == ("LRANGE", key) for command in sent) for key in lists]
    assert 4 <= min(asked) <= max(asked) <= 5
    assert len(sent) - 2 * sum(asked) < 2 * 120


def test_a_missing_registration_is_made_again() -> None:
    hand = Hand().up()
    hand.special["EXPIRE"] = 0
    assert "LPUSH" in hand.names_sent(hand.pass_time(11))


def test_a_registration_that_redis_refuses_inside_exec_is_reported_once() -> None:
    """RIPC-RECOV-15, RIPC-RECOV-27: EXEC replies with the errors of its commands, and the member continues."""
    hand = Hand().up()
    hand.special |= {"EXPIRE": 0, "LPUSH": Failure("WRONGTYPE", "WRONGTYPE Operation against a wrong kind of value")}
    hand.pass_time(40)
    told = [event.message for event in hand.events if isinstance(event, Problem)]
    assert told == ["Redis refuses a command: WRONGTYPE Operation against a wrong kind of value"]
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    assert "XADD" in hand.names_sent(hand.pass_time(1))


def test_an_announcement_that_redis_refuses_is_reported() -> None:
    """RIPC-RECOV-15: the announcement is also written alone, when wake-ups can be heard again or no more."""
    hand = Hand().up()
    hand.special["SET"] = Failure("NOPERM", "NOPERM this user has no permissions to run the 'set' command")
    hand.endpoint.wiring.registration.announce()
    hand.pass_time(1)
    assert [event.message for event in hand.events if isinstance(event, Problem)] == [
        "Redis refuses a command: NOPERM this user has no permissions to run the 'set' command"
    ]


@pytest.mark.parametrize("right", ["lrange", "get"])
def test_a_right_that_the_look_at_siblings_lacks_is_told_once(right: str) -> None:
    """Without it, responses are not handed over: they come when their requests time out, and nothing else says why."""
    hand = Hand().up()
    hand.special["XINFO CONSUMERS"] = [[b"name", b"consumer_51b110_0", b"pending", 0, b"idle", 10]]
    hand.special["LRANGE"] = [b"consumer_51b110_0"]
    text = f"NOPERM this user has no permissions to run the '{right}' command"
    hand.special[right.upper()] = Failure("NOPERM", text)
    hand.pass_time(60)
    told = [event.message for event in hand.events if isinstance(event, Problem)]
    assert told == [f"Redis refuses a command: {text}"]


def test_the_own_list_is_polled_while_requests_are_outstanding_and_others_are_there() -> None:
    hand = Hand().up()
    hand.special["XINFO CONSUMERS"] = [[b"name", b"consumer_51b110_0", b"pending", 0, b"idle", 10]]
    hand.special["LRANGE"] = [b"consumer_51b110_0"]
    hand.pass_time(21)
    assert hand.names_sent(hand.pass_time(1)).count("XREADGROUP") <= 1
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    assert hand.names_sent(hand.pass_time(1)).count("XREADGROUP") >= 50


def test_the_own_list_that_redis_refused_is_read_again_after_a_second() -> None:
    """RIPC-RECOV-27: not only with the next refresh, which is up to 8 s away."""
    hand = Hand().up()
    hand.special["XINFO CONSUMERS"] = [[b"name", b"consumer_51b110_0", b"pending", 0, b"idle", 10]]
    hand.special["LRANGE"] = [b"consumer_51b110_0"]
    hand.pass_time(21)
    hand.endpoint.send(b"1", "stock", 30.0, hand.now)
    for _ in range(3):
        hand.special["XREADGROUP"] = Failure("NOPERM", "NOPERM no right to XREADGROUP")
        hand.pass_time(0.5)
        del hand.special["XREADGROUP"]
        assert "XREADGROUP" in hand.names_sent(hand.pass_time(0.6))


def test_a_lost_read_is_followed_by_a_look_at_the_own_list_before_the_next() -> None:
    hand = Hand().up()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.read_lost(read, "cut", hand.now)
    assert hand.endpoint.next_read(hand.now) is None
    row = hand.request()
    dispatcher = b"dispatcher_%b_0" % hand.instance
    hand.special["XPENDING"] = lambda command: [[row[0], dispatcher, 5, 1]] if command[-1] == dispatcher else []
    hand.special["XRANGE"] = [row]
    hand.pass_time(0.5)
    assert len(hand.started()) == 1
    assert hand.endpoint.next_read(hand.now) is not None


@pytest.mark.parametrize("gaps", [[1.0], [0.6, 0.6, 0.6], [0.2] * 12])
def test_each_of_many_lost_reads_is_followed_by_a_look_when_it_has_ended(gaps: list[float]) -> None:
    """RIPC-RECOV-21: a read that is lost later puts off no look for an earlier one."""
    hand = Hand().up()
    dispatcher = b"dispatcher_%b_0" % hand.instance
    looks: list[float] = []
    hand.special["XPENDING"] = lambda command: looks.append(hand.now) or [] if command[-1] == dispatcher else []
    ends: list[float] = []
    for gap in [*gaps, 6.0]:
        while (read := hand.endpoint.next_read(hand.now)) is None:
            hand.pass_time(0.05)
        ends.append(hand.now + read.block)
        hand.pass_time(0.05)
        hand.endpoint.read_lost(read, "cut", hand.now)
        assert len(hand.endpoint.lifecycle._looks) <= 16, "they have a bound"
        hand.pass_time(gap)
    assert [end for end in ends if not any(end <= look <= end + 1 for look in looks)] == []


def test_an_entry_seen_in_the_own_list_and_in_a_late_reply_runs_once() -> None:
    hand = Hand().up()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    row = hand.request()
    dispatcher = b"dispatcher_%b_0" % hand.instance
    hand.special["XPENDING"] = lambda command: [[row[0], dispatcher, 5, 1]] if command[-1] == dispatcher else []
    hand.special["XRANGE"] = [row]
    hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    batch = hand.begin()
    hand.endpoint.batch_lost(batch, True, "cut", hand.now)
    hand.pass_time(0.5)
    [start] = hand.started()
    hand.endpoint.answer(start.incoming, "fulfilled", b"1", hand.now)
    hand.endpoint.handler_done(start.incoming, hand.now)
    hand.write_all()
    hand.endpoint.read_done(read, [[b"s", [row]]], hand.now)
    hand.drain()
    assert len(hand.started()) == 1


def test_a_lost_group_is_made_again_at_the_last_id_read() -> None:
    hand = Hand().up()
    row = hand.request(to=b"other")
    hand.read(row)
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.special["XINFO GROUPS"] = []
    hand.special["XINFO STREAM"] = [b"last-generated-id", b"9999999999999-0"]
    hand.endpoint.read_done(read, Failure("NOGROUP", "NOGROUP no such group"), hand.now)
    sent = hand.write_all()
    assert ("XGROUP", "CREATE", b"s", b"web", row[0]) in sent
    assert hand.endpoint.state is State.UP


def test_a_group_whose_stream_is_gone_is_made_again_though_nothing_was_ever_read_of_it() -> None:
    hand = Hand().up()
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.endpoint.shared.last_read = b"0-0"
    hand.special["XINFO GROUPS"] = hand.special["XINFO STREAM"] = Failure("ERR", "ERR no such key")
    hand.endpoint.read_done(read, Failure("UNBLOCKED", "UNBLOCKED the stream key no longer exists"), hand.now)
    assert ("XGROUP", "CREATE", b"s", b"web", b"0", "MKSTREAM") in hand.write_all()


def test_a_group_on_a_new_stream_starts_at_its_beginning() -> None:
    hand = Hand().up()
    hand.read(hand.request(to=b"other"))
    read = hand.endpoint.next_read(hand.now)
    assert read is not None
    hand.special["XINFO GROUPS"] = hand.special["XINFO STREAM"] = Failure("ERR", "ERR no such key")
    hand.endpoint.read_done(read, Failure("UNBLOCKED", "UNBLOCKED the stream key no longer exists"), hand.now)
    sent = hand.write_all()
    assert ("XGROUP", "CREATE", b"s", b"web", b"0", "MKSTREAM") in sent
    assert not any("SETID" in command for command in sent)
