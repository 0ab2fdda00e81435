"""The core's numbers and words are those of the tables of SPEC.md."""

from __future__ import annotations

import random

import pytest

from redisipc.channel.dispatch import dispatch
from redisipc.errors import Reject
from redisipc.protocol import commands, content, lifecycle, settings, siblings
from redisipc.protocol.entry import STATUSES, Entry, parse
from redisipc.protocol.names import Names, new_instance_id, new_request_id
from redisipc.protocol.settings import Settings

from ..support_core import Hand
from ..support_tables import rows

TIMES = {id: row["seconds"] for id, row in rows("times", "times").items()}
LIMITS = {id: row["number"] for id, row in rows("limits", "limits").items()}
SETTINGS = Settings("s", "g")
NAMES = Names.of("shop", "stock", "a1b2c3")


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        ("default-timeout", SETTINGS.timeout),
        ("registration-expiry", SETTINGS.registration_expiry),
        ("refresh", SETTINGS.refresh),
        ("block", settings.LONGEST_BLOCK),
        ("keep-alive", SETTINGS.keep_alive),
        ("suspect", SETTINGS.suspect_after),
        ("two-looks", SETTINGS.between_looks),
        ("reclaim", SETTINGS.reclaim_after),
        ("hold", SETTINGS.hold),
        ("grace", SETTINGS.grace),
        ("check-after", SETTINGS.check_after_waiting),
        ("give-back-mark", commands.GIVE_BACK_IDLE_MS / 1000),
        ("give-back-response-mark", commands.GIVE_BACK_RESPONSE_IDLE_MS / 1000),
        ("response-from", commands.RESPONSE_FROM_MS / 1000),
        ("given-back-from", commands.GIVEN_BACK_FROM_MS / 1000),
        ("dead-consumer", SETTINGS.dead_consumer),
        ("connected-before-delete", SETTINGS.connected_before_delete),
        ("look-before-delete", siblings.LOOK_BEFORE_DELETE),
        ("kept-alive", SETTINGS.late_after),
        ("kept-alive", commands.LATE_MS / 1000),
        ("refresh-before-request", SETTINGS.refresh_before_request),
        ("same-loss", lifecycle.SAME_LOSS),
        ("janitor", settings.LEAST_JANITOR_AGE),
    ],
)
def test_a_time_is_the_tables(row: str, seconds: float) -> None:
    assert seconds == TIMES[row]


def test_what_the_core_does_in_time_it_does_in_the_time_of_the_table() -> None:
    assert SETTINGS.linger < TIMES["settle"]
    assert SETTINGS.look_limit < TIMES["outcome-tolerance"]
    assert max(SETTINGS.poll_most, SETTINGS.poll_with_wakeups) < TIMES["handed-over"]
    assert SETTINGS.refresh < min(TIMES["consumer-use"], TIMES["find-siblings"])
    assert SETTINGS.block <= TIMES["block"]
    assert SETTINGS.look < TIMES["give-back-taken"]
    assert SETTINGS.answer_kept >= TIMES["answer-kept"]
    assert SETTINGS.reclaim_after + SETTINGS.look < TIMES["next-start"]
    assert TIMES["second-own-look"] > lifecycle._LATER
    assert SETTINGS.backoff_first < TIMES["connect-pause"]
    assert SETTINGS.backoff_most <= rows("times", "times")["connect-pause"]["limit_s"]


def test_the_limits_are_the_tables() -> None:
    assert len(new_instance_id(random.Random(1))) == LIMITS["instance-id"]
    assert len(new_request_id(random.Random(1))) == LIMITS["request-id"]
    assert LIMITS["nesting"] == content.MAX_DEPTH
    assert SETTINGS.max_starts == LIMITS["starts"]
    assert SETTINGS.max_outstanding >= LIMITS["outstanding"]


def named(pattern: str) -> bytes:
    """The name of a registry, for one instance."""
    parts = {"<stream>": "shop", "<group>": "stock", "<instance>": "a1b2c3", "<n>": "0"}
    for part, value in parts.items():
        pattern = pattern.replace(part, value)
    return pattern.encode()


def test_names_are_those_of_the_registries() -> None:
    keys, channels, consumers = (rows("registries", each) for each in ("side-keys", "channels", "consumers"))
    assert {NAMES.registration, NAMES.announcement} == {named(row["key"]) for row in keys.values()}
    assert {NAMES.wakeup, NAMES.group_wakeup} == {named(row["channel"]) for row in channels.values()}
    assert {NAMES.dispatcher, NAMES.consumer} == {named(row["prefix"]) for row in consumers.values()}
    assert {value.decode() for value in STATUSES} == rows("registries", "status").keys()


def test_an_announcement_has_the_keys_of_the_registry() -> None:
    hand = Hand()
    hand.endpoint.start(hand.now)
    announced = [command for command in hand.write_all() if command[0] == "SET"]
    keys = rows("registries", "announcement")
    for command in announced:
        found = content.decode(str(command[2]).encode())
        assert isinstance(found, dict)
        assert [key for key, row in keys.items() if row["needed"]] == [key for key in found if keys[key]["needed"]]
    assert announced


def test_reasons_begin_as_the_registry_says() -> None:
    begins = {id: row["begins"] for id, row in rows("registries", "reasons").items()}
    hand = Hand(concurrency=1, max_queue=0, max_request_age=5.0).up()
    hand.read(hand.request(), hand.request(b"q" * 21))
    # Before it rejects for overload it looks for siblings.
    hand.write_all()
    hand.read([b"1000-0", hand.request(b"o" * 21)[1]])
    entry = parse(hand.next_id(), hand.request(b"g" * 21)[1])
    assert isinstance(entry, Entry)
    hand.endpoint.wiring.responder.request(entry, hand.now, hand.now, starts=4)
    hand.pass_time(0.1)
    answers = [command for command in hand.sent if command[0] == "XADD"]
    reasons = [str(content.decode(bytes(command[command.index(b"content") + 1]))) for command in answers]  # type: ignore[arg-type]
    reasons += [str(refused({"event": "none"})), str(refused("text"))]
    wanted = ["overloaded", "too-old", "given-up", "unsupported-event", "malformed-event"]
    assert len(reasons) == len(wanted)
    assert {*wanted} <= begins.keys()
    for id, reason in zip(wanted, reasons, strict=True):
        assert reason.startswith(begins[id])


def refused(value: object) -> Reject:
    with pytest.raises(Reject) as raised:
        dispatch({}, value)
    return raised.value
