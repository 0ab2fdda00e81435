"""The roles that a scenario needs and what it asks for at once, from its steps."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from redisipc_conformance.scenario import Scenario, load_file
from redisipc_conformance.scenario.corpus import corpus
from redisipc_conformance.scenario.demands import at_once, roles_of

SEND = "- send: {from: a, to: b, content: x}\n  as: s\n"
READ = "- read: {peer: b, of: s}\n  as: e\n"
OUTCOME = "- outcome: {of: s, is: timeout}\n"
ADD = "- add: {from: b, to: a, content: x}\n  as: r\n"
RECEIVED = "- received: {by: a, of: r}\n  as: h\n"
FULFILL = "- fulfill: {request: h, content: 1}\n"
FENCE = "- fence: a\n"


@pytest.fixture
def scenario(tmp_path: Path):
    def make(steps: str, head: str = "") -> Scenario:
        path = tmp_path / "scenario.yaml"
        last = "- value: {of: 1, is: 1}\n  check: it\n"
        body = indent("- connect: a\n- peer: b\n" + steps + last, "  ")
        path.write_text(f"id: test/it\ntitle: It\n{head}checks:\n  it: It holds\nsteps:\n{body}")
        return load_file(path)

    return make


@pytest.mark.parametrize(
    ("steps", "roles"),
    [
        (SEND + OUTCOME, {"requester"}),
        (ADD + RECEIVED + FULFILL, {"responder"}),
        (SEND + READ + OUTCOME + ADD + RECEIVED + FULFILL, {"requester", "responder"}),
        ("- serve: {endpoint: a, fulfill: 1}\n", {"responder"}),
        ("- serve: {peer: b, fulfill: 1}\n", set()),
        (ADD + "- entry: {answer_to: r}\n", {"responder"}),
        (ADD + "- entry: {answer_to: r, count: 0}\n", set()),
        (ADD + "- received: {by: a, of: r, none: true}\n", set()),
        (FENCE, set()),
    ],
)
def test_who_sends_is_a_requester_and_who_answers_a_responder(scenario, steps: str, roles: set[str]) -> None:
    assert roles_of(scenario(steps)) == roles


def test_what_the_head_says_counts_and_in_the_profile_ask_all_are_callers(scenario) -> None:
    assert roles_of(scenario(SEND + OUTCOME, "roles: [responder]\n")) == {"responder"}
    assert roles_of(scenario(SEND + OUTCOME, "profile: ask\n")) == {"caller"}


@pytest.mark.parametrize(
    "steps",
    [
        SEND + OUTCOME + SEND.replace("s\n", "s2\n") + OUTCOME.replace("of: s", "of: s2"),
        ADD + RECEIVED + FULFILL + FENCE,
        ADD + FENCE + RECEIVED,
        SEND + READ + OUTCOME + "- disconnect: a\n",
    ],
)
def test_one_thing_after_the_other_is_nothing_at_once(scenario, steps: str) -> None:
    assert at_once(scenario(steps)) == ""


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (SEND + SEND.replace("s\n", "s2\n"), "sends while a send of its own waits"),
        (SEND + ADD + RECEIVED, "starts a handler while a send of its own waits"),
        (ADD + RECEIVED + SEND, "sends while a handler runs"),
        (ADD + RECEIVED + FENCE, "reads while a handler runs"),
        (ADD + RECEIVED + "- disconnect: a\n", "disconnects while a handler runs"),
        (SEND + "- cancel: s\n", "cancel a send while it waits"),
        ("- repeat:\n    times: 2\n    do:\n" + indent(SEND, "      "), "sends while a send of its own waits"),
        ("- connect: {endpoint: c, options: {concurrency: 2}}\n", "runs 2 handlers at once"),
        ("- together: [[{wait: 0}], [{wait: 0}]]\n", "side by side"),
    ],
)
def test_what_goes_on_meanwhile_is_seen(scenario, steps: str, words: str) -> None:
    assert words in at_once(scenario(steps))


def test_the_head_may_say_what_steps_do_not_show(scenario) -> None:
    assert at_once(scenario(FENCE, "needs: [parallel]\n"))


def test_a_serial_testee_of_base_is_asked_most_of_what_it_must_hold() -> None:
    base = [each for each in corpus() if each.profile == "base"]
    proved = {id for each in base if not at_once(each) for check in each.checks for id in check.requirements}
    assert {"RIPC-ENTRY-1", "RIPC-CONTENT-1", "RIPC-NAME-1", "RIPC-ROUTE-1", "RIPC-TIME-4", "RIPC-RESP-1"} <= proved
