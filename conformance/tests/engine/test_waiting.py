"""How long an expectation waits that must hold now."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from redisipc_conformance.context.failure import Failed
from redisipc_conformance.steps.waiting import Look, expect, held, missing, wrong
from redisipc_conformance.wire.pulse import Pulse

NOW: Any = SimpleNamespace(now=True, throughout=None)


async def said_later(*, word: bool) -> Any:
    """The value that is expected now of a testee that says it 50 ms later."""
    pulse, said = Pulse(), []
    context: Any = SimpleNamespace(pulse=pulse)

    def say() -> None:
        said.append("run")
        pulse.bump()

    def look() -> Look:
        return held(said[0]) if said else missing("nothing was said")

    asyncio.get_running_loop().call_later(0.05, say)
    return await expect(context, NOW, "delivery", look, word=word)


async def test_what_a_testee_is_about_to_say_counts_as_said_now() -> None:
    assert await said_later(word=True) == "run"


async def test_what_the_wire_shows_must_be_there_now() -> None:
    with pytest.raises(Failed, match="nothing was said"):
        await said_later(word=False)


async def test_what_was_said_too_often_fails_at_once() -> None:
    context: Any = SimpleNamespace(pulse=Pulse())
    looks = []

    def look() -> Look:
        looks.append(1)
        return wrong("twice", final=True)

    with pytest.raises(Failed, match="twice"):
        await expect(context, NOW, "delivery", look, word=True)
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("look", "fenced", "by_timeout"),
    [
        (wrong("it is still there"), set(), False),
        (missing("it is not there yet"), set(), True),
        (missing("it is not there yet"), {"a"}, False),
    ],
)
async def test_what_is_wrong_until_the_time_is_over_fails_by_assertion(
    look: Look, fenced: set[str], by_timeout: bool
) -> None:
    step: Any = SimpleNamespace(word="stream", now=False, throughout=None, arguments={})
    context: Any = SimpleNamespace(
        pulse=Pulse(), fenced=fenced, names={}, budget_clock=SimpleNamespace(now=time.monotonic),
        allowance=lambda *_: ("settle", 0.02), used=lambda *_: None, raise_if_crashed=lambda: None,
    )  # fmt: skip
    with pytest.raises(Failed) as failed:
        await expect(context, step, "settle", lambda: look)
    assert failed.value.by_timeout is by_timeout
