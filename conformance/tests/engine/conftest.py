"""Scenarios of a few lines, played by the engine on a real Redis with the model as testee."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent, indent

import pytest

from redisipc_conformance.engine.run import Engine, Settings
from redisipc_conformance.files import suite_folder
from redisipc_conformance.requirements import Requirement, Requirements
from redisipc_conformance.results import Event, ScenarioEnded, ScenarioResult, Verdict
from redisipc_conformance.scenario import Scenario, load_file
from redisipc_conformance.server import NoServer, Server, choose
from redisipc_conformance.verdict.judge import Judge

MODEL = (sys.executable, str(suite_folder() / "mutants" / "testee.py"))
REQUIREMENTS = Requirements(
    [Requirement("RIPC-ENTRY-1", "MUST"), Requirement("RIPC-ENTRY-2", "SHOULD"), Requirement("RIPC-ENTRY-3", "MAY")],
    complete=False,
)
JUDGE = Judge(REQUIREMENTS)
_numbers = itertools.count(1)

Play = Callable[..., Awaitable[ScenarioResult]]
Write = Callable[..., Scenario]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One that may be stopped and flushed, which a REDIS_URL may not."""
    with _own() as running:
        yield running


def _own() -> Server:
    for kind in ("local", "embedded"):
        try:
            return choose(kind)
        except NoServer:
            continue
    return choose("container")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Makes a scenario of steps. `checks`: their names, each with a sentence; `head`: more keys."""

    def make(steps: str, *, checks: str = "it", head: str = "", id: str = "") -> Scenario:
        id = id or f"test/scenario-{next(_numbers)}"
        path = tmp_path / f"{id.replace('/', '-')}.yaml"
        declared = "\n".join(f'  "{name}": It holds' for name in checks.split())
        text = f"id: {id}\ntitle: A test\n{dedent(head).strip()}\nchecks:\n{declared}\nsteps:\n"
        path.write_text(text + indent(dedent(steps).strip("\n"), "  ") + "\n")
        return load_file(path)

    return make


async def events(engine: Engine) -> list[Event]:
    return [event async for event in engine.run()]


def settings(command: tuple[str, ...] = MODEL, **more: object) -> Settings:
    return Settings(command, 8, 1, **more)  # type: ignore[arg-type]


@pytest.fixture
def play(server: Server, write: Write) -> Play:
    """Plays the steps and gives the result."""

    async def run(
        steps: str,
        *,
        command: tuple[str, ...] = MODEL,
        checks: str = "it",
        head: str = "",
        strict: bool = False,
        **more: object,
    ) -> ScenarioResult:
        scenario = write(steps, checks=checks, head=head)
        engine = Engine(settings(command, **more), server, [scenario], replace(JUDGE, strict=strict))
        found = [event.result for event in await events(engine) if isinstance(event, ScenarioEnded)]
        assert len(found) == 1
        return found[0]

    return run


@pytest.fixture
def holds(play: Play) -> Callable[..., Awaitable[ScenarioResult]]:
    """Plays steps whose every check must pass."""

    async def run(steps: str, **more: object) -> ScenarioResult:
        result = await play(steps, **more)
        told = [f"{check.verdict.value}: line {check.line}: {check.message}" for check in result.checks]
        assert result.verdict is Verdict.PASS, "\n".join([result.reason, *told])
        return result

    return run
