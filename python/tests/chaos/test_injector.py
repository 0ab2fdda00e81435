"""The injector: what is not proven fails a run, unless a fault of Redis left nothing to hit."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, ClassVar, Literal, cast

import pytest
from chaos.faults.base import Fault, NotNow
from chaos.injector import Injector
from chaos.plan import Step

from chaos import injector as module


class Away(Fault):
    """Redis is away for a moment."""

    name = "away"
    seconds = (0.1, 0.1)

    async def strike(self) -> None:
        Cut.reachable = False

    async def proof(self) -> str:
        return "away"

    async def mend(self) -> None:
        Cut.reachable = True


class Cut(Fault):
    """Cuts connections: there are none while Redis is away."""

    name = "cut"
    struck_at: ClassVar[Literal["members", "redis"]] = "members"
    reachable: ClassVar[bool] = True
    free: ClassVar[bool] = True

    async def prepare(self) -> None:
        await super().prepare()
        if not self.free:
            raise NotNow("nobody")

    async def strike(self) -> None:
        self.cut = self.reachable

    async def proof(self) -> str:
        return "1 cut" if self.cut else ""


@pytest.fixture
def injector(monkeypatch: pytest.MonkeyPatch) -> Injector:
    monkeypatch.setattr(module, "FAULTS", {"away": Away, "cut": Cut})
    monkeypatch.setattr(module, "PROVE", 0.05)
    monkeypatch.setattr(module, "LATER", 0.001)
    monkeypatch.setattr(Cut, "reachable", True)
    monkeypatch.setattr(Cut, "free", True)
    lab = SimpleNamespace(rows=lambda *row: None, watch=SimpleNamespace(errors={}))
    return Injector(cast(Any, lab), lambda line: None)


async def test_what_struck_is_counted(injector: Injector) -> None:
    await injector.play(Step("cut", 0.0, 1))
    assert injector.struck == {"cut": 1}
    assert injector.unproven == []


async def test_what_is_not_proven_is_named_and_not_tried_again(
    injector: Injector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cut, "reachable", False)
    await injector.play(Step("cut", 0.0, 1))
    assert injector.struck == {}
    assert injector.unproven == ["cut: nothing proves that it struck"]


async def test_a_fault_that_found_nobody_fails_the_run(injector: Injector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cut, "free", False)
    await injector.play(Step("cut", 0.0, 1))
    assert injector.unproven == ["cut: never found anybody to hit"]


async def test_a_fault_of_members_comes_again_where_redis_was_away(injector: Injector) -> None:
    away = asyncio.create_task(injector.play(Step("away", 0.0, 1)))
    await asyncio.sleep(0.02)
    await injector.play(Step("cut", 0.0, 1))
    await away
    assert injector.struck == {"away": 1, "cut": 1}
    assert injector.unproven == []
