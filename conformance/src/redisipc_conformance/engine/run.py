"""The engine: many scenarios at once over one Redis, events out. It prints nothing and knows no front end."""

from __future__ import annotations

import asyncio
import datetime
import shlex
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from ..context.budget_clock import BudgetClock
from ..context.processor_wait import ProcessorWait
from ..results import (
    Event,
    RunEnded,
    RunStarted,
    ScenarioEnded,
    ScenarioPutOff,
    ScenarioResult,
    ScenarioStarted,
    ServerInfo,
    TesteeInfo,
)
from ..scenario.model import Scenario
from ..server import Server
from ..server.rights import USER
from ..testee.claims import ROLES, Claims, problem, roles_of
from ..testee.errors import TesteeUnusable
from ..testee.process import TesteeProcess
from ..testee.schemas import TesteeSchemas
from ..verdict.applies import why_not
from ..verdict.judge import Judge, RunOutcome
from ..version import __version__
from ..wire.address import Address
from ..wire.client import Client
from ..within import end_all, results_of
from . import budgets
from .goodbyes import Goodbyes
from .own_servers import OwnServers
from .pool import Pool
from .scenario_run import RunContext, ScenarioRun
from .shared_process_loss import SharedProcessLoss

AT_ONCE_AGAIN = 4
"""How many scenarios run at once when they are tried a second time."""
TOLD_DELAY = 0.01
"""If the testee's delay is longer (in seconds), the report mentions it."""


@dataclass(frozen=True)
class Settings:
    """The parameters of a run. `seed` decides all random data; `time_scale` stretches all waiting."""

    command: tuple[str, ...]
    jobs: int
    seed: int
    time_scale: float = 1.0
    no_timeouts: bool = False
    profiles: tuple[str, ...] | None = None
    prefix: str = "ripc"
    """A part of the streams' names. Runs that share a Redis and a seed need different ones."""
    least_rights: bool = False
    """Endpoints have the rights of section 2 only."""
    redis: tuple[str, ...] = ()
    """The options that choose this Redis. The command to run one scenario again contains them."""

    def rerun(self, scenario: str) -> str:
        """The command that runs this scenario alone, with the same random data."""
        words = ["redisipc-conformance", "run", scenario, "--seed", str(self.seed), *self.redis]
        scale = ["--time-scale", f"{self.time_scale:g}"] if self.time_scale != 1 else []
        least = ["--least-rights"] if self.least_rights else []
        return shlex.join([*words, *scale, *least, "--", *self.command])


class Engine:
    """One run. Raises TesteeUnusable from `run` when the testee cannot be started at all."""

    def __init__(self, settings: Settings, server: Server, scenarios: Sequence[Scenario], judge: Judge) -> None:
        self.settings = settings
        self.server = server
        self.scenarios = [s for s in scenarios if settings.profiles is None or s.profile in settings.profiles]
        self.judge = judge
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._scenario_runs: set[ScenarioRun] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._stopped = False
        self._contradiction: TesteeUnusable | None = None
        self._again: list[str] = []
        """Scenarios that were tried a second time."""
        self._notes: list[str] = []
        self._first_tries = 0
        """Scenarios, or rows of them, that have not been tried yet."""
        self._calm = asyncio.Event()
        """All have been tried once, so the machine has less to do."""
        self._few = asyncio.Semaphore(AT_ONCE_AGAIN)

    def stop(self) -> None:
        """Ends the run soon. Scenarios that have not ended have no result. May be called from another thread."""
        self._stopped = True
        if self._loop is not None and self._main is not None:
            self._loop.call_soon_threadsafe(self._main.cancel)

    async def run(self) -> AsyncGenerator[Event, None]:
        """RunStarted, the scenarios, RunEnded. Leaving the loop early also ends everything."""
        self._loop = asyncio.get_running_loop()
        self._main = self._loop.create_task(self._all())
        self._main.add_done_callback(lambda done: self._events.put_nowait(None))
        if self._stopped:
            self._main.cancel()
        try:
            while (event := await self._events.get()) is not None:
                yield event
            if self._contradiction is not None:
                raise self._contradiction
            if not self._main.cancelled():
                self._main.result()
        finally:
            await end_all({self._main})

    async def _all(self) -> None:
        began = time.monotonic()
        settings = self.settings
        table = budgets.table(settings.time_scale, no_timeouts=settings.no_timeouts)
        schemas = TesteeSchemas.load()
        goodbyes = Goodbyes()
        pool = Pool(settings.command, schemas, table["connect"] * 2, goodbyes)
        pool.on_contradiction = self._contradicted
        pool.on_gone = self._process_gone
        address = Address.parse(self.server.url)
        client = Client(address)
        own_servers = OwnServers(self.server)
        interrupted = False
        started, profiles = False, ()
        try:
            first = await pool.get("one")
            wrong = problem(first.hello)
            if wrong:
                raise TesteeUnusable(f"{shlex.join(settings.command)}: {wrong}")
            about = await asyncio.to_thread(self.server.about)
            label = getattr(self.server, "image", "")
            server = ServerInfo(about.brand, about.version, self.server.kind, label)
            unclaimed, left_out = self._left_out(first, server, own_servers)
            running = [each for each in self.scenarios if each.id not in unclaimed and each.id not in left_out]
            self._events.put_nowait(self._started(first, server, running, left_out))
            started, profiles = True, tuple(first.hello["profiles"])
            for scenario in self.scenarios:
                if (reason := unclaimed.get(scenario.id, left_out.get(scenario.id))) is not None:
                    rerun, claimed = settings.rerun(scenario.id), scenario.id in left_out
                    self._ended(self.judge.left_out(scenario, reason, rerun, claimed=claimed))
            delay = await first.delay()
            table = budgets.table(settings.time_scale, no_timeouts=settings.no_timeouts, delay=delay)
            if delay > TOLD_DELAY:
                self._notes.append(
                    f"the testee needs {delay:.3f} s to answer anything: time bounds are longer by as much"
                )
            async with BudgetClock() as budget_clock, ProcessorWait() as waits:
                run_context = RunContext(
                    command=settings.command,
                    schemas=schemas,
                    pool=pool,
                    client=client,
                    address=address,
                    own_servers=own_servers,
                    budgets=table,
                    scale=settings.time_scale,
                    seed=settings.seed,
                    claims=Claims.of(first.hello),
                    budget_clock=budget_clock,
                    waits=waits,
                    delay=delay,
                    user=USER if settings.least_rights else None,
                    goodbyes=goodbyes,
                    no_timeouts=settings.no_timeouts,
                    prefix=settings.prefix,
                    excused=self.judge.excused,
                )
                await self._scenarios(running, run_context, server)
        except asyncio.CancelledError:
            interrupted = True
            pool.abandon()
        finally:
            closing = asyncio.gather(pool.close(), own_servers.close(), client.close(), return_exceptions=True)
            await asyncio.shield(closing)
            goodbyes.sweep()
        if started:
            if (badly := goodbyes.wrong()) is not None:
                self._ended(self.judge.farewell(profiles, *badly, server))
            self._events.put_nowait(
                RunEnded(time.monotonic() - began, interrupted, (*self._notes, *self._lags(), *goodbyes.notes()))
            )

    def _started(
        self, testee: TesteeProcess, server: ServerInfo, running: Sequence[Scenario], left_out: dict[str, str]
    ) -> RunStarted:
        hello = testee.hello
        roles = roles_of(hello["profiles"], hello.get("roles", ROLES))
        info = TesteeInfo(
            hello["name"], hello["version"], hello["language"], tuple(hello["spec"]), tuple(hello["profiles"]),
            tuple(hello["features"]), self.settings.command, roles, bool(hello.get("serial", False)),
        )  # fmt: skip
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        ids = tuple(scenario.id for scenario in running)
        return RunStarted(
            __version__,
            self.judge.requirements.spec,
            info,
            server,
            self.settings.seed,
            now,
            ids,
            left_out,
            self.settings.time_scale,
            self.settings.no_timeouts,
        )

    def _left_out(
        self, testee: TesteeProcess, server: ServerInfo, own: OwnServers
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Id to reason: scenarios that do not apply to this testee and server, and those that cannot run here."""
        claims = Claims.of(testee.hello)
        unclaimed = {each.id: reason for each in self.scenarios if (reason := why_not(each, claims, server))}
        needing = [each.id for each in self.scenarios if each.own_server and each.id not in unclaimed]
        return unclaimed, dict.fromkeys(needing, own.why_not) if own.why_not else {}

    def _lags(self) -> tuple[str, ...]:
        if not self._again:
            return ()
        names = ", ".join(sorted(set(self._again))[:8])
        count = "1 scenario" if len(self._again) == 1 else f"{len(self._again)} scenarios"
        return (f"the machine was too busy during {count}, which ran again at the end: {names}",)

    def _contradicted(self, error: TesteeUnusable) -> None:
        """Its processes do not claim the same, so no result holds for all of them."""
        self._contradiction = error
        if self._main is not None:
            self._main.cancel()

    def _process_gone(self, process: TesteeProcess, why: Exception) -> None:
        users = [scenario_run for scenario_run in self._scenario_runs if scenario_run.uses(process)]
        outstanding = getattr(why, "call", "")
        users.sort(key=lambda user: not user.calls_in(outstanding))
        loss = SharedProcessLoss(users)
        for user in users:
            if user.loss is not None:
                # Another result has already decided its verdict.
                loss.tell(user, again=False)
            user.loss = user.loss or loss
            if user.context is not None:
                user.context.process_gone(process, why)

    async def _scenarios(self, scenarios: Sequence[Scenario], run_context: RunContext, server: ServerInfo) -> None:
        room = asyncio.Semaphore(self.settings.jobs)
        # Scenarios that mostly wait disturb no other, and the longest of them decide how long the run takes.
        waiting_room = asyncio.Semaphore(4 * self.settings.jobs)
        self._first_tries = sum(len(_rows(scenario)) for scenario in scenarios)
        tasks = [
            asyncio.create_task(
                self._scenario(scenario, run_context, waiting_room if "slow" in scenario.needs else room, server)
            )
            for scenario in sorted(scenarios, key=_length, reverse=True)
        ]
        try:
            await results_of(tasks)
        except BaseException:
            run_context.abandon()
            raise
        finally:
            await end_all(set(tasks))

    async def _scenario(
        self, scenario: Scenario, run_context: RunContext, room: asyncio.Semaphore, server: ServerInfo
    ) -> None:
        told = asyncio.Event()

        async def one(row: dict[str, Any] | None) -> RunOutcome:
            async with room:
                if not told.is_set():
                    told.set()
                    self._events.put_nowait(ScenarioStarted(scenario.id))
                outcome = await self._once(scenario, row, run_context)
            self._first_tries -= 1
            if self._first_tries == 0:
                self._calm.set()
            return await self._again_if_lagged(outcome, scenario, row, run_context)

        runs = await _all_or_none([one(row) for row in _rows(scenario)])
        self._ended(self.judge.result(scenario, runs, server, self.settings.rerun(scenario.id)))

    def _ended(self, result: ScenarioResult) -> None:
        self._events.put_nowait(ScenarioEnded(result))

    async def _again_if_lagged(
        self, outcome: RunOutcome, scenario: Scenario, row: dict[str, Any] | None, run_context: RunContext
    ) -> RunOutcome:
        """Runs again what the machine may have broken, when it has less to do. Nothing else is tried again."""
        if not outcome.lagged or self._stopped:
            return outcome
        self._again.append(scenario.id)
        self._events.put_nowait(ScenarioPutOff(scenario.id))
        await self._calm.wait()
        async with self._few:
            self._events.put_nowait(ScenarioStarted(scenario.id))
            return await self._perform(ScenarioRun(scenario, row, run_context, alone=True))

    async def _once(self, scenario: Scenario, row: dict[str, Any] | None, run_context: RunContext) -> RunOutcome:
        """Once; once more alone where a shared process ended, since another scenario may have ended it."""
        scenario_run = ScenarioRun(scenario, row, run_context)
        outcome = await self._perform(scenario_run)
        loss = scenario_run.loss
        if not outcome.crash or loss is None:
            if loss is not None:
                loss.tell(scenario_run, again=False)
            return outcome
        again = await self._perform(ScenarioRun(scenario, row, run_context, alone=True))
        loss.tell(scenario_run, again=bool(again.crash))
        if again.crash or again.fault:
            return again
        if await loss.answers_for(scenario_run):
            outcome.crash += "; run again alone, it did not happen"
            return outcome
        return again

    async def _perform(self, scenario_run: ScenarioRun) -> RunOutcome:
        self._scenario_runs.add(scenario_run)
        try:
            return await scenario_run.run()
        finally:
            self._scenario_runs.discard(scenario_run)


def _rows(scenario: Scenario) -> list[dict[str, Any] | None]:
    """The rows that are played in contexts of their own. For a scenario without such rows: None, once."""
    return list(scenario.rows) if scenario.rows and not scenario.row_by_row else [None]


async def _all_or_none(work: list[Any]) -> list[RunOutcome]:
    tasks = [asyncio.create_task(each) for each in work]
    try:
        return await results_of(tasks)
    finally:
        await end_all(set(tasks))


def _length(scenario: Scenario) -> tuple[bool, bool, bool, int]:
    """The sort key of a scenario: long ones begin first, so that none of them is left over at the end."""
    return "slow" in scenario.needs, scenario.own_server, scenario.own_processes, sum(1 for _ in scenario.walk())
