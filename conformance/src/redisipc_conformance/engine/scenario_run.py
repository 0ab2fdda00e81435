"""One run of one scenario, or of one row of it: its context is made, the steps are played, everything is cleared away."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..context.budget_clock import BudgetClock
from ..context.failure import AtLine, Crashed, Stopped, SuiteFault
from ..context.leaving import clear_away
from ..context.processor_wait import ProcessorWait
from ..context.scenario_context import ScenarioContext
from ..results import BudgetUse
from ..scenario.matchers import show
from ..scenario.model import Scenario
from ..scenario.values import BadValue
from ..server import NoServer
from ..steps.entries import readable
from ..testee.claims import Claims
from ..testee.process import TesteeProcess
from ..testee.schemas import PROTOCOL, TesteeSchemas
from ..verdict import entry_rule
from ..verdict.check_log import CheckLog
from ..verdict.judge import RunOutcome
from ..verdict.transcript import Transcript
from ..wire.address import Address
from ..wire.client import Client
from ..within import patiently, to_the_end, within
from . import budgets, honesty
from .conduct.entries import Ids
from .conduct.inspect import inspect
from .goodbyes import Goodbyes
from .own_servers import OwnServers
from .pool import Pool, Shard
from .shared_process_loss import SharedProcessLoss
from .step_runner import StepRunner

SCENARIO_SECONDS = 300.0
"""No scenario takes longer: one that does hangs, and the suite is at fault, since every wait of it has an end."""
LAST_WORDS_SECONDS = 0.5
"""How long the stderr of a process that has ended is waited for."""
PROBE_SECONDS = 4.0
"""The time for a process that did not answer a call in time to answer hello, before it counts as hung."""


@dataclass
class RunContext:
    """The things that all scenarios of a run share."""

    command: tuple[str, ...]
    schemas: TesteeSchemas
    pool: Pool
    client: Client
    address: Address
    own_servers: OwnServers
    budgets: Mapping[str, float]
    scale: float
    seed: int
    claims: Claims
    budget_clock: BudgetClock
    waits: ProcessorWait
    goodbyes: Goodbyes
    no_timeouts: bool = False
    delay: float = 0.0
    user: str | None = None
    """The user as which endpoints reach Redis; None: as the runner does."""
    prefix: str = "ripc"
    shards: int = 2
    """Processes of the testee for each name that scenarios use."""
    ids: Ids = field(default_factory=dict)
    excused: frozenset[str] = frozenset()
    """Statements that the testee is known to break."""
    _turn: Iterator[int] = field(default_factory=itertools.count)
    _pools: weakref.WeakSet[Pool] = field(default_factory=weakref.WeakSet)

    def shard(self) -> Shard:
        """Processes that are shared with other scenarios: the next ones in turn."""
        return Shard(self.pool, next(self._turn) % self.shards)

    def private_pool(self) -> Pool:
        pool = Pool(self.command, self.schemas, self.budgets["connect"] * 2, self.goodbyes)
        pool.on_contradiction = self.pool.on_contradiction
        self._pools.add(pool)
        return pool

    def abandon(self) -> None:
        """The run was interrupted: no scenario waits for a process any longer, also while it clears away."""
        for pool in (self.pool, *self._pools):
            pool.abandon()


@dataclass(eq=False)
class ScenarioRun:
    """One run. `alone`: with processes of its own, even if it does not need them: others crashed beside it."""

    scenario: Scenario
    row: dict[str, Any] | None
    run_context: RunContext
    alone: bool = False
    context: ScenarioContext | None = None
    loss: SharedProcessLoss | None = None
    """The end of a shared process that it has seen."""

    def uses(self, process: TesteeProcess) -> bool:
        return self.context is not None and any(endpoint.process is process for endpoint in self.context.endpoints)

    def calls_in(self, outstanding: str) -> bool:
        """Whether one of these calls is of an endpoint of it."""
        return self.context is not None and any(f"({e.handle})" in outstanding for e in self.context.endpoints)

    async def run(self) -> RunOutcome:
        """Plays it. Whatever happens, nothing of it is left when this returns."""
        scenario, run_context = self.scenario, self.run_context
        rows = [str(row["name"]) for row in (scenario.rows if self.row is None else (self.row,))]
        outcome = RunOutcome(CheckLog(scenario, rows))
        own = scenario.own_processes or self.alone or run_context.claims.serial
        pool = run_context.private_pool() if own else run_context.pool
        server = None
        client, address = run_context.client, run_context.address
        try:
            if scenario.own_server:
                try:
                    server = await run_context.own_servers.acquire()
                except NoServer as error:
                    outcome.fault = f"no server of its own is available: {error}"
                    return outcome
                address = Address.parse(server.url)
            if scenario.own_server or scenario.own_connection:
                client = Client(address)
            await self._in_context(outcome, pool, client, address, server)
        finally:
            if pool is not run_context.pool:
                await to_the_end(pool.close())
            if client is not run_context.client:
                await client.close()
            if server is not None:
                await to_the_end(run_context.own_servers.release(server, scenario))
        return outcome

    async def _in_context(self, outcome: RunOutcome, pool: Pool, client: Client, address: Address, server: Any) -> None:
        run_context = self.run_context
        try:
            context = self.context = ScenarioContext(
                self.scenario,
                row=self.row,
                seed=run_context.seed,
                client=client,
                shares_client=client is run_context.client,
                address=address,
                server=server,
                processes=run_context.shard() if pool is run_context.pool else pool,
                budgets=run_context.budgets,
                scale=run_context.scale,
                claims=run_context.claims,
                budget_clock=run_context.budget_clock,
                waits=run_context.waits,
                delay=run_context.delay,
                user=run_context.user,
                no_timeouts=run_context.no_timeouts,
                prefix=run_context.prefix,
            )
        except SuiteFault as error:
            outcome.fault, outcome.fault_line = str(error), self.scenario.lines.of(("rows",))
            return
        if pool is not run_context.pool:
            pool.on_gone = context.process_gone
        began = time.monotonic()
        try:
            await context.open()
            await self._play(context, outcome)
        finally:
            outcome.seconds = time.monotonic() - began
            await to_the_end(clear_away(context))
            await to_the_end(self._probe(context, pool))
        self._inspect(context, outcome)
        honesty.inspect(context, outcome)
        # In a thread: a testee may have sent tens of thousands of commands, and other scenarios measure times.
        await asyncio.to_thread(inspect, context, outcome, run_context.ids, run_context.excused)
        if not outcome.clean:
            outcome.transcript = Transcript(context)
            outcome.stderr = await self._stderr(context)
        slack = {name: seconds * run_context.scale for name, seconds in budgets.SLACK.items()}
        outcome.budgets = tuple(
            BudgetUse(name, allowed, used, slack.get(name, 0.0)) for name, allowed, used in context.budget_uses
        )

    async def _play(self, context: ScenarioContext, outcome: RunOutcome) -> None:
        longest = 24 * 3600.0 if self.run_context.no_timeouts else SCENARIO_SECONDS * self.run_context.scale
        step_runner = StepRunner(context, outcome.check_log)
        try:
            await within(step_runner.play(self.scenario.steps), longest)
            if context.crash is not None and not outcome.check_log.complete:
                raise context.crash
        except Stopped as stopped:
            outcome.stopped = stopped
        except Crashed as error:
            outcome.crash = str(error)
        except AtLine as error:
            outcome.fault, outcome.fault_line = f"line {error.line}: {error}", error.line
        except (SuiteFault, BadValue) as error:
            outcome.fault = str(error)
        except TimeoutError:
            outcome.fault = f"the scenario did not end within {longest:g} s"
        outcome.stopped_rows = context.stopped_rows
        if context.crash is not None and outcome.stopped is not None:
            # What failed may have failed because nobody was there any more.
            outcome.crash = str(context.crash)

    @staticmethod
    async def _stderr(context: ScenarioContext) -> str:
        for process in {endpoint.process for endpoint in context.endpoints}:
            if process is not None and process.gone is not None:
                with contextlib.suppress(TimeoutError):
                    await within(process.ended(), LAST_WORDS_SECONDS)
        return context.stderr()

    @staticmethod
    async def _probe(context: ScenarioContext, pool: Pool) -> None:
        """A process that left a call unanswered: still there, or hung? What gets no processor is not hung."""
        for process in context.suspects:
            began = time.monotonic()

            def taken(pid: int = process.pid, began: float = began) -> float:
                return context.waits.since([pid], began) + context.budget_clock.all_lag(began)

            try:
                await patiently(await process.begin("hello", {"protocol": PROTOCOL}), PROBE_SECONDS, taken)
            except Exception:
                pool.retire(process)

    @staticmethod
    def _inspect(context: ScenarioContext, outcome: RunOutcome) -> None:
        """Every entry that was written must be valid, unless the scenario says that it is invalid."""
        for entry in context.entry_log.entries:
            if entry.marked_invalid:
                continue
            wrong = entry_rule.problem(entry.pairs, by_suite=entry.by_suite)
            if wrong is None:
                continue
            told, statement = wrong
            shown = show([[readable(name), readable(value)] for name, value in entry.pairs])
            if entry.by_suite:
                if not outcome.fault:
                    outcome.fault = f"the suite wrote a malformed entry, not marked `invalid: true`: {told}; {shown}"
            elif not outcome.malformed:
                outcome.malformed = f"{entry.by or 'the testee'} wrote a malformed entry: {told}; {shown}"
                outcome.broken_statement = statement
                outcome.culprit = entry
