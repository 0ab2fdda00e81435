"""Testees that are not honest, and those that are broken in a way that no scenario asks for, get the verdict that they deserve."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.conftest import JUDGE, Write, events, settings
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.results import (
    FAREWELL,
    FOREIGN,
    STRANGER,
    WHOLE_RUN,
    RunEnded,
    RunStarted,
    ScenarioEnded,
    ScenarioResult,
    Verdict,
)
from redisipc_conformance.server import NoServer, Server, choose
from redisipc_conformance.server.choose import private
from redisipc_conformance.testee import process as process_module
from redisipc_conformance.testee.errors import TesteeUnusable

TESTEE = str(Path(__file__).with_name("dishonest_testee.py"))
STEPS = """
    - connect: a
    - send: {from: a, to: b, content: 1}
      as: s
    - outcome: {of: s, is: fulfilled}
      check: it
"""


@pytest.fixture(scope="module")
def locked() -> Iterator[Server]:
    """As a run has it: with a password that only the taps know."""
    for kind in ("local", "embedded"):
        try:
            server = choose(kind, locked=True)
        except NoServer:
            continue
        with server:
            yield server
        return
    pytest.skip("no server program")


class Played:
    """The outcome of a run with such a testee."""

    def __init__(
        self, deed: str, file: Path, server: Server, write: Write, steps: str = STEPS, scenarios: int = 1
    ) -> None:
        command = (sys.executable, TESTEE, deed, str(file))
        written = [write(steps) for _ in range(scenarios)]
        self.engine = Engine(settings(command), server, written, JUDGE)
        self.results: dict[str, ScenarioResult] = {}
        self.ended = RunEnded(0.0)
        self.started: RunStarted | None = None

    async def run(self) -> Played:
        for event in await events(self.engine):
            if isinstance(event, ScenarioEnded):
                self.results[event.result.id] = event.result
            elif isinstance(event, RunEnded):
                self.ended = event
            elif isinstance(event, RunStarted):
                self.started = event
        return self

    def failed(self) -> dict[str, str]:
        checks = [check for result in self.results.values() for check in result.checks]
        return {check.name: check.message for check in checks if check.verdict is not Verdict.PASS}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "told"


async def test_an_honest_one_is_only_judged_by_its_checks(locked: Server, write: Write, file: Path) -> None:
    played = await Played("nothing", file, locked, write).run()
    assert played.failed() == {}
    assert played.ended.notes == ()


async def test_nobody_gets_past_the_tap_to_a_server_of_the_suite(locked: Server, write: Write, file: Path) -> None:
    await Played("past-the-tap", file, locked, write).run()
    assert file.read_text().startswith(("-NOAUTH", "-ERR Protocol error: unauthenticated"))


async def test_the_twin_of_a_locked_server_is_locked(locked: Server) -> None:
    with private(locked) as twin:
        assert "@" in twin.url


async def test_an_entry_that_came_past_the_taps_is_a_failure(server: Server, write: Write, file: Path) -> None:
    """On a server that others reach as well, such as one at a URL."""
    played = await Played("past-the-tap", file, server, write, STEPS + "    - fence: a\n").run()
    assert "came past the taps" in played.failed()[STRANGER]


@pytest.mark.parametrize(
    "command", ["FLUSHALL", "FLUSHDB", "SHUTDOWN NOSAVE", "CONFIG SET save x", "CLIENT PAUSE 9000"]
)
async def test_what_would_harm_the_server_does_not_reach_it_and_is_one_failure(
    locked: Server, write: Write, file: Path, command: str
) -> None:
    played = await Played(f"sends {command}", file, locked, write, scenarios=3).run()
    assert file.read_text().startswith("-ERR refused by the conformance suite")
    assert set(played.failed()) == {FOREIGN}
    assert f"a sent {command}" in played.failed()[FOREIGN]
    assert all(
        check.requirements == ("RIPC-REDIS-2",)
        for r in played.results.values()
        for check in r.checks
        if check.name == FOREIGN
    )


async def test_what_a_client_library_may_ask_is_refused_and_blames_nobody(
    locked: Server, write: Write, file: Path
) -> None:
    played = await Played("sends CONFIG GET requirepass", file, locked, write).run()
    assert file.read_text().startswith("-ERR refused")
    assert played.failed() == {}


@pytest.mark.parametrize(("deed", "told"), [("dies", "signal 11"), ("exit-3", "exit status 3")])
async def test_one_that_does_not_end_well_fails_with_how_it_ended(
    locked: Server, write: Write, file: Path, deed: str, told: str
) -> None:
    played = await Played(deed, file, locked, write).run()
    assert set(played.failed()) == {FAREWELL}
    assert told in played.failed()[FAREWELL]
    assert (played.results[WHOLE_RUN].profile, played.results[WHOLE_RUN].verdict) == ("base", Verdict.FAIL)


async def test_one_that_does_not_end_is_killed_and_said(
    locked: Server, write: Write, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "SHUTDOWN_SECONDS", 0.3)
    played = await Played("lingers", file, locked, write).run()
    assert played.failed() == {}
    assert "still ran 2 s after shutdown, and were killed" in played.ended.notes[0]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
async def test_what_it_leaves_behind_is_killed_and_said(locked: Server, write: Write, file: Path) -> None:
    played = await Played("leaves-a-child", file, locked, write).run()
    child = int(file.read_text())
    assert played.ended.notes == (f"the testee left 1 processes behind, which were killed: sleep ({child})",)
    for _ in range(500):
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                await asyncio.sleep(0.01)
                continue
        return
    os.kill(child, signal.SIGKILL)
    raise AssertionError("the child still runs")


@pytest.mark.parametrize("changed", ['{"version": "2"}', '{"features": ["cancel"]}', '{"profiles": ["base"]}'])
async def test_two_processes_that_claim_different_things_are_refused(
    locked: Server, write: Write, file: Path, changed: str
) -> None:
    steps = STEPS + "    - connect: {endpoint: c, process: two}\n"
    with pytest.raises(TesteeUnusable, match="two of its processes say hello differently"):
        await Played(f"two-faced {changed}", file, locked, write, steps).run()
