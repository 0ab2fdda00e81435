"""The rules of every scenario: for each a trace that breaks it and alone, and one beside it that keeps it."""

from __future__ import annotations

import json
from ast import literal_eval
from types import SimpleNamespace
from typing import Any

import pytest

from redisipc_conformance import always
from redisipc_conformance.context.entry_log import EntryLog
from redisipc_conformance.context.objects import Endpoint, Received, Written
from redisipc_conformance.engine.conduct.inspect import inspect
from redisipc_conformance.requirements import Requirements
from redisipc_conformance.wire import resp
from redisipc_conformance.wire.tap import Exchange

ID, OTHER, THIRD = "0123456789abcdef01234", "1123456789abcdef01234", "2123456789abcdef01234"
LIST, ANNOUNCEMENT = "s:g:a1b2c3:consumers", "s:g:a1b2c3:announce"
SAID = {"spec": "1.0", "implementation": "x", "version": "1", "language": "x", "features": []}
STORED = b"5-0"


def request(id: str = ID, instance: str = "a1b2c3", source: str = "g", options: str = "NOMKSTREAM *") -> str:
    fields = f"id {id} instance_id {instance} status pending content 1 source_group {source} destination_group b"
    return f"XADD s {options} {fields}"


def response(id: str = ID, instance: str = "c0ffee", source: str = "g", destination: str = "b") -> str:
    fields = f"id {id} instance_id {instance} status fulfilled content 1 source_group {source}"
    return f"XADD s NOMKSTREAM * {fields} destination_group {destination}"


def answered(add: str, *order: str) -> list[str]:
    return ["MULTI", add, *(order or ("XACK s g 1-0", "XDEL s 1-0")), "EXEC"]


def said(**changed: Any) -> str:
    return f"SET {ANNOUNCEMENT} {json.dumps({**SAID, **changed}, separators=(',', ':'))} EX 100"


MADE = (
    *("XGROUP CREATECONSUMER s g dispatcher_a1b2c3_0", "XGROUP CREATECONSUMER s g consumer_a1b2c3_0"),
    *("MULTI", f"LPUSH {LIST} consumer_a1b2c3_0 =1", f"EXPIRE {LIST} 100", "EXEC"),
)
"""Each member has sent this before its first read and its first request."""


class Trace:
    """Commands of one endpoint, as its tap has them. ``"!"`` behind a command: its reply never came. ``=``: the reply."""

    def __init__(self, *lines: str | list[str], caller: bool = False, group: str = "g", made: bool = True) -> None:
        self.exchanges: list[Exchange] = []
        self._multi: int | None = None
        for line in ([] if caller or not made else [list(MADE)]) + list(lines):
            for each in [line] if isinstance(line, str) else line:
                self.add(each)
        self.endpoint = Endpoint("a", group, "a1b2c3", "s", caller=caller, connected=True)
        self.notes: list[Any] = []

    def add(self, line: str) -> None:
        line, _, reply = line.partition(" =")
        lost = line.endswith("!")
        exchange = Exchange(1, [word.encode() for word in line.rstrip("!").split(" ")], float(len(self.exchanges)))
        if exchange.name == b"MULTI":
            self._multi = len(self.exchanges)
        exchange.multi = self._multi
        if not lost:
            error = line.startswith("XADD") and "refused" in line
            exchange.result = exchange.reply = (
                resp.ErrorReply("OOM") if error else literal_eval(reply) if reply else STORED
            )
        if exchange.name == b"EXEC":
            exchange.members = [e for e in self.exchanges if e.multi == self._multi][1:]
            self._multi = None
        self.exchanges.append(exchange)


def entry(place: str, destination: str, status: str = "pending", id: str = ID, instance: str = "c0ffee") -> Written:
    pairs = {
        "id": id, "instance_id": instance, "status": status, "content": "1", "source_group": "b", "destination_group": destination,
    }  # fmt: skip
    return Written("s", place, [(key.encode(), value.encode()) for key, value in pairs.items()], 0.0, by="peer")


def found(
    trace: Trace,
    *,
    received: str = "",
    ends_at: float | None = None,
    script: bool = False,
    ids: dict[bytes, str] | None = None,
    excused: frozenset[str] = frozenset(),
    beside: Endpoint | None = None,
) -> set[str]:
    """The rules that it breaks. The stream has two requests to `g`, one to `other`, and what a handler got."""
    entry_log = EntryLog(lambda at: at, lambda: None)
    requests = entry("1-0", "g"), entry("2-0", "other", id=OTHER), entry("4-0", "g", id=THIRD)
    for written in (*requests, entry("3-0", "g", "fulfilled", OTHER)):
        entry_log.add(written)
    if received:
        trace.endpoint.received.append(Received(trace.endpoint, "r", {"id": received}, 0.0))
    notes: list[Any] = [SimpleNamespace(at=0.0, who="suite", text="", args=("EVAL", "return 1"))] if script else []
    notes += [] if ends_at is None else [SimpleNamespace(at=ends_at, who="a", text="disconnected", args=())]
    context = SimpleNamespace(
        taps={"a": SimpleNamespace(exchanges=trace.exchanges)},
        endpoints=[trace.endpoint, *([beside] if beside else [])],
        stream="s",
        entry_log=entry_log,
        notes=notes,
        scenario=SimpleNamespace(id="area/name", own_server=False),
        claims=SimpleNamespace(profiles={"base", "group", "channel", "resilient", "ask"}),
    )
    outcome = SimpleNamespace(broken={})
    inspect(context, outcome, {} if ids is None else ids, excused)  # type: ignore[arg-type]
    return {rule.name for rule in outcome.broken}


NEW = "XREADGROUP GROUP g dispatcher_a1b2c3_0 COUNT 9 BLOCK 5000 STREAMS s > =[[b's',[[b'{}',[b'id',b'x']]]]]"
AT_THE_END = "XGROUP CREATE s g $ MKSTREAM =b'OK'"
GROUP_AGAIN = "XGROUP CREATE s g 0 MKSTREAM =b'OK'"
LISTED = "LRANGE s:g:c0ffee:consumers 0 -1 =[b'consumer_c0ffee_0']"
HANDED = "XCLAIM s g consumer_c0ffee_0 0 3-0 JUSTID =[b'3-0']"
LOOK = "XPENDING s g IDLE 7000 - + 9 =[[b'1-0',b'dispatcher_c0ffee_0',8000,1]]"
RECLAIMED = "XCLAIM s g dispatcher_a1b2c3_0 10000 1-0 RETRYCOUNT 6 JUSTID =[b'1-0']"
OWN_AGAIN = "XPENDING s g 1-0 1-0 1 =[[b'1-0',b'dispatcher_a1b2c3_0',20,1]]"
GIVEN = "XCLAIM s g dispatcher_a1b2c3_0 0 1-0 IDLE 315360000000 JUSTID =[b'1-0']"
AUTOMATIC = "XAUTOCLAIM s g dispatcher_a1b2c3_0 157680000000 0 JUSTID =[b'0-0',[b'1-0']]"
LEFT = ["MULTI", "XPENDING s g - + 9 consumer_a1b2c3_0", "XGROUP DELCONSUMER s g consumer_a1b2c3_0", "EXEC"]
SECOND = response(THIRD)
BOTH = ("XACK s g 1-0 4-0", "XDEL s 1-0 4-0")
TOGETHER = answered(response(), SECOND, *BOTH)
TOGETHER_LOST = [f"{line}!" for line in TOGETHER]
TAKEN = "XCLAIM s g dispatcher_a1b2c3_0 157680000000 1-0 JUSTID =[b'1-0']"

BROKEN: list[tuple[always.Rule, Trace]] = [
    (always.KEYS_LISTED, Trace("KEYS s*")),
    (always.ONE_KEY, Trace(["MULTI", "XLEN s", "GET other", "EXEC"])),
    (always.TRIMMED, Trace(request(options="NOMKSTREAM MAXLEN ~ 1000 *"))),
    (always.EXPIRY, Trace("EXPIRE s 60")),
    (always.DESTROYED, Trace("XGROUP DESTROY s g")),
    (always.GROUP_SET, Trace("XGROUP SETID s g $")),
    (always.BLOCKED, Trace("XREADGROUP GROUP g dispatcher_a1b2c3_0 BLOCK 0 STREAMS s >")),
    (always.BLOCKED, Trace("XREADGROUP GROUP g dispatcher_a1b2c3_0 BLOCK 5001 STREAMS s >")),
    (always.CALLER_BLOCKED, Trace("XREAD BLOCK 0 STREAMS s 1-0", caller=True)),
    (always.OTHERS_GROUP, Trace("XGROUP CREATE s other $")),
    (always.CALLER_MAKES, Trace("LPUSH x y", caller=True)),
    (always.STREAM_MADE, Trace(request(options="*"))),
    (always.CALLER_STREAM, Trace(request(source="caller:a1b2c3", options="*"), caller=True)),
    (always.OWN_ENTRY_ID, Trace(request(options="NOMKSTREAM 5-0"))),
    (always.REQUEST_ID, Trace(request(id="0123456789ABCDEF01234"))),
    (always.SAME_ID, Trace(request(), request().replace("content 1", "content 2"))),
    (always.WRITTEN_AGAIN, Trace(request(), request())),
    (always.UNSURE_AGAIN, Trace(request() + "!", request())),
    (always.CALLER_AGAIN, Trace(request(source="caller:a1b2c3") + "!", request(source="caller:a1b2c3"), caller=True)),
    (always.INSTANCE_ID, Trace(request(instance="a1b2c"))),
    (always.OWN_INSTANCE, Trace(request(instance="ffffff"))),
    (always.OWN_SOURCE, Trace(request(source="G"))),
    (always.CALLER_SOURCE, Trace(request(source="g"), caller=True)),
    (always.DISPATCHER, Trace("XREADGROUP GROUP g consumer_a1b2c3_0 BLOCK 5000 STREAMS s >")),
    (always.DISPATCHER, Trace("XREADGROUP GROUP g dispatcher_ffffff_0 BLOCK 5000 STREAMS s >")),
    (always.ANSWER_ID, Trace(answered(response(id="unknown")))),
    (always.ANSWER_INSTANCE, Trace(answered(response(instance="a1b2c3")))),
    (always.ANSWER_GROUPS, Trace(answered(response(destination="B")))),
    (always.ANSWER_ORDER, Trace(answered(response(), "XDEL s 1-0", "XACK s g 1-0"))),
    (always.ANSWER_ORDER, Trace(response(), "XACK s g 1-0", "XDEL s 1-0")),
    (always.ANSWERED_ONCE, Trace(answered(response()), answered(response()))),
    (always.DELETED, Trace("XDEL s 1-0 2-0")),
    (always.UNLISTED_DELETION, Trace("XGROUP DELCONSUMER s g consumer_a1b2c3_0")),
    (always.UNLISTED_DELETION, Trace(["MULTI", "XGROUP DELCONSUMER s g c", "XPENDING s g - + 9 c", "EXEC"])),
    (always.LIST_EXPIRY, Trace(["MULTI", f"LPUSH {LIST} consumer_a1b2c3_0", "EXEC"])),
    (always.LIST_RENEWED, Trace(f"EXPIRE {LIST} 30")),
    (always.ANNOUNCED, Trace(said(features=None))),
    (always.ANNOUNCED_FOR, Trace(said().removesuffix(" EX 100"))),
    (always.ANNOUNCED_TIMEOUT, Trace(said(timeout_ms=0.5))),
    (always.ONE_START, Trace(LOOK, LOOK, "XCLAIM s g dispatcher_a1b2c3_0 10000 1-0 RETRYCOUNT 2 JUSTID")),
    (always.COUNTED_CLAIM, Trace(NEW.format("1-0"), "XCLAIM s g dispatcher_a1b2c3_0 0 1-0")),
    (always.GIVE_BACK_MARK, Trace(NEW.format("1-0"), "XCLAIM s g dispatcher_a1b2c3_0 0 1-0 IDLE 86400000 JUSTID")),
    (always.GIVE_BACK_MARK, Trace(NEW.format("1-0"), GIVEN.replace("315360000000", "630720000000"))),
    (always.MADE_AGAIN, Trace("XGROUP CREATE s g 5-0 MKSTREAM")),
    (always.SIX_FIELDS, Trace(request() + " x y")),
    (always.SIX_FIELDS, Trace(request().replace(" content 1", ""))),
    (always.FIELD_ORDER, Trace(request().replace("status pending content 1", "content 1 status pending"))),
    (always.NO_TRACE, Trace(answered(response().replace("fulfilled content 1", "rejected content \n\tat\tx.js:1:2")))),
    (always.CONSUMER_MADE, Trace("XREADGROUP GROUP g dispatcher_a1b2c3_0 COUNT 9 BLOCK 5000 STREAMS s >", made=False)),
    (always.CONSUMER_MADE, Trace(GROUP_AGAIN, "XREADGROUP GROUP g consumer_a1b2c3_0 COUNT 9 STREAMS s 0")),
    (always.CONSUMER_MADE, Trace(GROUP_AGAIN, MADE[0], "XREADGROUP GROUP g consumer_a1b2c3_0 COUNT 9 STREAMS s 0")),
    (always.LISTED_ONCE, Trace(["MULTI", f"LPUSH {LIST} consumer_a1b2c3_0 =2", f"EXPIRE {LIST} 100", "EXEC"])),
    (always.LISTED_ONCE, Trace(["MULTI", f"LPUSH {LIST} dispatcher_a1b2c3_0 =2", f"EXPIRE {LIST} 100", "EXEC"])),
    (always.REGISTERED_FIRST, Trace(request(), made=False)),
    (always.MADE_AT_THE_END, Trace(AT_THE_END, MADE[0], NEW.format("1-0"), AT_THE_END)),
    (always.WOKEN, Trace(LISTED, "PUBLISH s:g:c0ffee:wakeup ", HANDED)),
    (always.WOKEN, Trace(LISTED, HANDED, "PUBLISH s:g:c0ffee:wakeup payload")),
    (always.SETTLED, Trace(NEW.format("3-0"), "XDEL s 3-0 =1")),
    (always.SETTLED, Trace(NEW.format("3-0"), "XDEL s 3-0 =1", LEFT)),
    (always.HANDED_KEPT, Trace(LISTED, HANDED, "XACK s g 3-0")),
    (always.HANDED_KEPT, Trace(LISTED, HANDED, "XDEL s 3-0")),
    (always.HANDED_KEPT, Trace(LISTED, HANDED, LOOK.replace("1-0", "3-0"), "XACK s g 3-0")),
    (always.HANDED_TO, Trace("LPOS s:g:c0ffee:consumers consumer_c0ffee_0 =None", HANDED)),
    (always.HANDED_TO, Trace(HANDED)),
    (always.HANDED_TO, Trace(LISTED, HANDED.replace(" 0 3-0", " 10 3-0"))),
    (always.HANDED_TO_ITSELF, Trace(NEW.format("3-0"), "XCLAIM s g consumer_a1b2c3_0 0 3-0 JUSTID =[b'3-0']")),
    (always.ALONE, Trace(TOGETHER_LOST, TOGETHER)),
    (always.CLAIMED_EARLY, Trace("XCLAIM s g dispatcher_a1b2c3_0 0 1-0 RETRYCOUNT 6 JUSTID =[b'1-0']")),
    (always.CLAIMED_EARLY, Trace("XCLAIM s g dispatcher_a1b2c3_0 5000 1-0 JUSTID =[b'1-0']")),
    (always.ONE_LOOK, Trace(LOOK, RECLAIMED)),
    (always.KEPT_ALIVE, Trace(NEW.format("1-0"), GIVEN, "XCLAIM s g dispatcher_a1b2c3_0 0 1-0 JUSTID =[b'1-0']")),
]  # fmt: skip
KEPT: list[Trace] = [
    Trace(TOGETHER),
    Trace(TOGETHER_LOST, answered(response()), answered(SECOND)),
    Trace(
        [f"{line}!" for line in answered(response())],
        answered(response().replace("fulfilled content 1", "rejected content 2"), SECOND, *BOTH),
    ),
    Trace("XGROUP CREATE s g $ MKSTREAM", "XGROUP CREATE s g 5-0", "XGROUP CREATECONSUMER s g dispatcher_a1b2c3_0"),
    Trace("XREADGROUP GROUP g dispatcher_a1b2c3_0 COUNT 9 BLOCK 5000 STREAMS s >", "XREADGROUP GROUP g c STREAMS s 0"),
    Trace(request(), request(OTHER) + " refused", request(OTHER)),
    Trace(["MULTI", request() + "!"], request()),
    Trace(answered(response())),
    Trace("XDEL s 1-0 3-0 9-9", "XTRIM s MINID 1-0"),
    Trace(["MULTI", "XPENDING s g - + 9 c", "XGROUP DELCONSUMER s g c", "EXEC"]),
    Trace(["MULTI", f"LREM {LIST} 0 c", f"LPUSH {LIST} c", f"EXPIRE {LIST} 100", "EXEC"], f"EXPIRE {LIST} 100"),
    Trace(said(), said(timeout_ms=5000, roles=["requester"]), f"EXPIRE {ANNOUNCEMENT} 100", f"DEL {ANNOUNCEMENT}"),
    Trace(LOOK, LOOK, RECLAIMED, LISTED, HANDED, "PUBLISH s:g:c0ffee:wakeup "),
    Trace("LPOS s:g:c0ffee:consumers consumer_c0ffee_0 =0", HANDED, "PUBLISH s:g:wakeup payload"),
    Trace(LISTED, HANDED, LOOK.replace("1-0", "3-0"), LOOK.replace("1-0", "3-0"), "XACK s g 3-0"),
    Trace(NEW.format("1-0"), GIVEN, OWN_AGAIN, "XCLAIM s g dispatcher_a1b2c3_0 0 1-0 JUSTID =[b'1-0']"),
    Trace(AT_THE_END, AT_THE_END, MADE[0], NEW.format("1-0")),
    Trace(GROUP_AGAIN, MADE[0], NEW.format("1-0"), MADE[1], "XREADGROUP GROUP g consumer_a1b2c3_0 COUNT 9 STREAMS s 0"),
    Trace("XGROUP CREATE s2 g 0 MKSTREAM =b'OK'", "XGROUP CREATE s g 0 MKSTREAM!", NEW.format("1-0")),
    Trace(NEW.format("3-0"), "XACK s g 3-0", "XDEL s 3-0 =1"),
    Trace(NEW.format("3-0"), LEFT, "XDEL s 3-0 =1"),
    Trace(AUTOMATIC, "XCLAIM s g dispatcher_a1b2c3_0 0 1-0 JUSTID =[b'1-0']"),
    Trace(
        LISTED,
        HANDED,
        LOOK.replace("1-0", "3-0"),
        LOOK.replace("1-0", "3-0"),
        RECLAIMED.replace("1-0", "3-0"),
        "XACK s g 3-0",
    ),
    Trace(NEW.format("1-0"), GIVEN, TAKEN, "XCLAIM s g dispatcher_a1b2c3_0 0 1-0 JUSTID =[b'1-0']"),
    Trace(
        [
            "MULTI",
            f"LREM {LIST} 0 consumer_a1b2c3_0",
            f"LPUSH {LIST} consumer_a1b2c3_0 =1",
            f"EXPIRE {LIST} 100",
            "EXEC",
        ]
    ),
    Trace("XCLAIM s g dispatcher_a1b2c3_0 0 1-0 IDLE 315360000000 RETRYCOUNT 4 FORCE JUSTID"),
    Trace("XCLAIM s g dispatcher_d4e5f6_0 0 1-0 RETRYCOUNT 1 FORCE JUSTID"),
    Trace(NEW.format("3-0"), "XCLAIM s g dispatcher_a1b2c3_0 0 3-0 IDLE 630720000000 JUSTID =[b'3-0']"),
    Trace(NEW.format("3-0"), "XCLAIM s g dispatcher_a1b2c3_0 0 3-0 IDLE 315360000000 JUSTID =[b'3-0']"),
    Trace("XREAD BLOCK 1 STREAMS s 1-0", request(source="caller:a1b2c3"), caller=True, group="caller:a1b2c3"),
]


@pytest.mark.parametrize(("rule", "trace"), BROKEN, ids=[f"{rule.name}-{i}" for i, (rule, _) in enumerate(BROKEN)])
def test_a_breach_fails_its_rule_and_no_other(rule: always.Rule, trace: Trace) -> None:
    assert found(trace) == {rule.name}


@pytest.mark.parametrize("trace", KEPT)
def test_what_keeps_the_rules_fails_none(trace: Trace) -> None:
    assert found(trace) == set()


def test_an_id_that_another_scenario_wrote_is_used_twice() -> None:
    ids = {ID.encode(): "area/another"}
    assert found(Trace(request()), ids=ids) == {always.SAME_ID.name}


def test_a_statement_that_the_testee_is_known_to_break_has_no_rule() -> None:
    trace = Trace("KEYS s*", "EXPIRE s 60")
    assert found(trace) == {always.KEYS_LISTED.name, always.EXPIRY.name}
    assert found(trace, excused=frozenset({"RIPC-REDIS-2"})) == {always.EXPIRY.name}


def test_a_handler_that_gets_another_groups_request() -> None:
    assert found(Trace(), received=OTHER) == {always.RUN_FOR_OTHERS.name}
    assert found(Trace(), received=ID) == set()


def test_an_entry_for_another_group_that_was_read_and_stays_pending() -> None:
    trace = Trace()
    trace.endpoint.unacknowledged = "a read 2-0, which is for another group, 8.0 s ago"
    assert found(trace) == {always.KEPT_PENDING.name}


def test_a_command_after_the_disconnect_but_for_its_last_words() -> None:
    assert found(Trace("XLEN s", "XLEN s", "QUIT", made=False), ends_at=0.5) == {always.AFTER_THE_END.name}
    assert found(Trace("XLEN s", "QUIT", made=False), ends_at=0.5) == set()


def test_an_endpoint_that_connects_under_the_instance_id_of_another() -> None:
    assert found(Trace(), beside=Endpoint("a2", "g", "a1b2c3", "s")) == {always.NEW_INSTANCE.name}
    for other in (Endpoint("a2", "g", "ffffff", "s"), Endpoint("a2", "h", "a1b2c3", "s"), Endpoint("a2", "g", "", "s")):
        assert found(Trace(), beside=other) == set()


def test_an_announced_timeout_is_that_of_the_endpoint() -> None:
    for timeout_ms, broken in ((7500, set()), (8, {always.ANNOUNCED_TIMEOUT.name})):
        trace = Trace(said(timeout_ms=timeout_ms))
        trace.endpoint.options = {"timeout": 7.5}
        assert found(trace) == broken


def test_a_request_that_started_twice_may_be_answered_twice() -> None:
    trace = Trace(answered(response()), answered(response()))
    trace.endpoint.received.append(Received(trace.endpoint, "first", {"id": ID}, 0.0))
    assert found(trace, received=ID) == set()


def test_a_multi_that_a_fault_took_apart_says_nothing() -> None:
    trace = Trace(answered(response(), "XDEL s 1-0", "XACK s g 1-0"), made=False)
    trace.exchanges[2].fate = "answered by the suite"
    assert found(trace) == set()


def test_a_script_of_the_scenario_may_have_written_what_is_answered() -> None:
    assert found(Trace(answered(response(id="unknown"))), script=True) == set()


def test_each_rule_has_a_breach_here_and_statements_that_there_are() -> None:
    elsewhere = {always.RUN_FOR_OTHERS, always.AFTER_THE_END, always.NEW_INSTANCE, always.KEPT_PENDING}
    assert {rule for rule, _ in BROKEN} | elsewhere == set(always.RULES)
    requirements = Requirements.load()
    assert {id for rule in always.RULES for id in rule.requirements if id not in requirements} == set()
    assert len(set(always.NAMES)) == len(always.RULES)
