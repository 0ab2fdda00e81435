"""A port may leave a SHOULD out. So a check that fails for that alone must not count for a MUST."""

from redisipc_conformance.requirements import Requirements
from redisipc_conformance.scenario.corpus import corpus

BOTH = {
    "channel/no-events/event": "an event that a channel lacks is unknown, whether it has others or not",
    "channel/no-events/text": "a channel without events is a receiver of requests that are no events",
    "group/kept-while-leaving/young": "a testee that takes the option close_timeout waits for its handlers",
    "group/wakes-after-give-back/order": "the order of the two commands is looked at, and the feature wakeup sends both",
    "responder/limit-kept/then": "one handler is enough to start the third request in the end",
    "responder/overloaded/waiting-run": "requests within the bound are run by a port without a bound, too",
    "responder/place-of-a-lost-request/next": "the endpoint has one handler, so nothing runs side by side",
}
"""Checks that name a MUST and a SHOULD, and why a port without the SHOULD passes them."""


def test_a_check_of_a_must_does_not_fail_for_a_should_alone():
    levels = {each.id: each.level for each in Requirements.load()}
    found = {
        f"{scenario.id}/{check.name}"
        for scenario in corpus()
        for check in scenario.checks
        if {"MUST", "SHOULD"} <= {levels[id] for id in check.requirements}
    }
    assert found == set(BOTH)
