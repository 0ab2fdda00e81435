"""An engine, a server and a testee's check that only tell, so that the command line can be tried without any of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from redisipc_conformance.cli import session
from redisipc_conformance.results import (
    CheckResult,
    Event,
    RunEnded,
    RunStarted,
    ScenarioEnded,
    ScenarioResult,
    ScenarioStarted,
    Verdict,
    worst,
)
from redisipc_conformance.scenario.corpus import named_checks
from redisipc_conformance.scenario.model import Scenario
from redisipc_conformance.server import NoServer, Server
from redisipc_conformance.testee.check import Finding
from redisipc_conformance.verdict.judge import Judge
from synthetic import SERVER, TESTEE

Verdicts = Callable[[str], Verdict]
"""From scenario/check to what it comes to."""


class FakeServer(Server):
    kind = "local"
    open = 0
    """How many have not been closed."""

    def __init__(self) -> None:
        FakeServer.open += 1

    @property
    def url(self) -> str:
        return "redis://fake:6379/0"

    def close(self) -> None:
        FakeServer.open -= 1


@dataclass
class Fake:
    """The actions of the fakes, and the calls that they got."""

    verdicts: Verdicts = lambda _: Verdict.PASS
    left_out: dict[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ("base", "group", "channel", "resilient")
    features: tuple[str, ...] = ("cancel", "cancellation", "wakeup", "announce", "redelivery")
    no_server: str = ""
    shim_is_wrong: str = ""
    no_conversation: str = ""
    breaks: Exception | None = None
    breaks_later: Exception | None = None
    versions: list[str] = field(default_factory=lambda: ["7.0.15"])
    ran: list[list[str]] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    settings: Any = None
    stopped: bool = False

    def install(self, patch: pytest.MonkeyPatch) -> None:
        async def check(command: Sequence[str], url: str | None, scale: float = 1.0) -> list[Finding]:
            self.scales.append(scale)
            said = {"hello": self.shim_is_wrong, "converse": self.no_conversation, "shutdown": self.no_conversation}
            return [Finding(name, name, "wrong" if wrong else "ok", wrong) for name, wrong in said.items()]

        FakeServer.open = 0
        patch.setattr(session, "Engine", lambda *given: FakeEngine(self, *given))
        patch.setattr(session, "choose", self.choose)
        patch.setattr(session, "check", check)

    def choose(
        self,
        wanted: str,
        *,
        image: str | None = None,
        say: Callable[[str], object],
        locked: bool = False,
        least: bool = False,
    ) -> Server:
        self.asked.append((wanted, image))
        if self.no_server and (image or wanted) in self.no_server:
            raise NoServer(self.no_server)
        say("Redis: not container, no Docker engine answers")
        return FakeServer()


class FakeEngine:
    """Tells one scenario after the other; heeds ``stop`` between two of them."""

    def __init__(self, fake: Fake, settings: Any, server: Server, scenarios: Sequence[Scenario], judge: Judge) -> None:
        self.fake, self.scenarios, self.judge = fake, scenarios, judge
        fake.settings = settings
        fake.ran.append([])

    def stop(self) -> None:
        self.fake.stopped = True

    async def run(self) -> AsyncGenerator[Event, None]:
        fake = self.fake
        if fake.breaks:
            raise fake.breaks
        testee = replace(TESTEE, profiles=fake.profiles, features=fake.features, command=fake.settings.command)
        version = fake.versions[(len(fake.ran) - 1) % len(fake.versions)]
        unclaimed = {s.id: "it is not claimed" for s in self.scenarios if s.profile not in fake.profiles}
        left_out = {id: why for id, why in fake.left_out.items() if id not in unclaimed}
        running = [scenario for scenario in self.scenarios if scenario.id not in {**unclaimed, **left_out}]
        ids = tuple(scenario.id for scenario in running)
        server = replace(SERVER, version=version, label="")
        settings = fake.settings
        began = ("0.1.0", "1.0", testee, server, settings.seed, "2025-11-25T08:00:00Z", ids, left_out)
        yield RunStarted(*began, settings.time_scale, settings.no_timeouts)
        for scenario in self.scenarios:
            if (reason := unclaimed.get(scenario.id, left_out.get(scenario.id))) is not None:
                claimed = scenario.id in left_out
                yield ScenarioEnded(self.judge.left_out(scenario, reason, "rerun", claimed=claimed))
        for scenario in running:
            if fake.stopped:
                break
            fake.ran[-1].append(scenario.id)
            yield ScenarioStarted(scenario.id)
            yield ScenarioEnded(self.judge.judged(self._result(scenario), server))
            if fake.breaks_later:
                raise fake.breaks_later
        yield RunEnded(1.0, interrupted=fake.stopped)

    def _result(self, scenario: Scenario) -> ScenarioResult:
        checks = []
        for named in named_checks(scenario):
            verdict = self.fake.verdicts(named.id)
            message = "" if verdict is Verdict.PASS else "it does not hold"
            name = named.id.rsplit("/", 1)[1]
            checks.append(CheckResult(name, named.check.text, named.check.requirements, "MUST", verdict, message))
        found = worst(check.verdict for check in checks)
        about = (scenario.id, scenario.title, scenario.area, scenario.profile)
        return ScenarioResult(*about, found, 0.01, tuple(checks), rerun=self.fake.settings.rerun(scenario.id))
