"""Failures that a wait in vain hid, or that the runner's own work made undecided: each is an assertion about what was seen."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from engine.conftest import Play
from redisipc_conformance.context import linking
from redisipc_conformance.context.objects import Endpoint, Send, Written
from redisipc_conformance.results import Verdict

MANY = 1000


async def test_a_request_that_was_rejected_is_not_waited_for_in_vain(play: Play) -> None:
    steps = """
    - connect: {endpoint: b, events: [{event: sum, params: []}]}
    - peer: a
    - add: {from: a, to: b, content: {event: other}}
      as: e
    - received: {by: b, of: e}
      check: it
    """
    [check] = (await play(steps)).checks
    assert check.verdict is Verdict.FAIL
    assert not check.by_timeout
    assert check.message == "b answered the request, and started no handler"
    assert "Unsupported event" in check.seen


async def test_what_is_wrong_says_more_than_what_did_not_come(play: Play) -> None:
    steps = """
    - connect: a
    - peer: b
    - send: {from: a, to: b, content: one}
      as: s
    - entry: {where: {content: two}}
      check: it
    - entry: {of: s, fields: {content: three}}
      check: it
    """
    [check] = (await play(steps)).checks
    assert check.verdict is Verdict.FAIL
    assert not check.by_timeout
    assert 'expected "three", saw "one"' in check.message


def test_a_thousand_open_sends_do_not_hold_the_runner_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """To say how two contents differ takes long: nobody asks for it where a plain comparison tells them apart."""
    explained: list[Any] = []
    monkeypatch.setattr(linking, "differs", lambda *both: explained.append(both))
    a = Endpoint("a", "a", "c0ffee", "s")
    sends = [Send(a, "b", n, 0.0, None, "") for n in range(MANY)]
    entries = [_request(n) for n in range(MANY)]
    for entry in reversed(entries):
        linking.link(sends, entry)
    assert explained == []
    assert [send.entry for send in sends] == entries
    assert all(one.id != other.id for one, other in pairwise(entries))


def _request(n: int) -> Written:
    fields = {"id": f"{n:021x}", "instance_id": "c0ffee", "status": "pending", "content": str(n)}
    fields |= {"source_group": "a", "destination_group": "b"}
    return Written("s", f"{n + 1}-0", [(name.encode(), value.encode()) for name, value in fields.items()], 0.0, "a")


async def test_a_send_that_hangs_breaks_a_bound(play: Play) -> None:
    steps = """
    - connect: {endpoint: a, options: {timeout: 0.4}}
    - peer: b
    - send: {from: a, to: b, content: one}
      as: s
    - process: {pause: one}
    - outcome: {of: s, is: timeout}
      within: 2.5
      check: it
    """
    [check] = (await play(steps, head="needs: [pause]")).checks
    assert check.verdict is Verdict.FAIL
    assert not check.by_timeout
    assert re.match("the send has not ended 2[.][0-9] s after its timeout", check.message)


async def test_a_send_with_time_left_only_did_not_end(play: Play) -> None:
    steps = """
    - connect: {endpoint: a, options: {timeout: 30}}
    - peer: b
    - send: {from: a, to: b, content: one}
      as: s
    - outcome: {of: s, is: fulfilled}
      within: 1.5
      check: it
    """
    [check] = (await play(steps)).checks
    assert check.by_timeout
