"""The runs of one command line, one server after the other. If they end early, they leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace

from ..engine.run import Engine
from ..printable import all_printable, printable
from ..report.live import Live
from ..report.summary import header, summary
from ..results import Event, RunStarted, ScenarioEnded
from ..scenario.corpus import declared_ids, renamed_ids
from ..server import NoServer, Server, choose
from ..testee.check import Finding, check, first_wrong
from ..testee.errors import TesteeUnusable
from ..verdict.profiles import Exit, fails
from ..verdict.run import Report, Run, slim
from ..wire.tap import gate
from .plan import Plan, ServerChoice

FOR_A_DEBUGGER = 10_000.0
"""`--no-timeouts`, as the time scale of the check before a run."""
PATIENT = 4.0
"""If the check before a run fails, a second one has so many times its time."""
DRAW_EVERY = 0.2
"""Seconds between two updates of the status line."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK = "Either the shim is wrong, or the port writes or reads entries wrongly. The checks that fail show which"


def _went_astray(finding: Finding) -> bool:
    """Whether a conversation began and broke no rule of the testee protocol: then the port itself may be wrong."""
    shim = ("connect ", "it ended ", "answer to ", "notification ")
    return finding.verdict == "wrong" and finding.name == "converse" and not finding.sentence.startswith(shim)


def _busy() -> bool:
    """Whether more processes want to run than there are processors: then a program may take long to start."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


class Stopped(Exception):
    """Runs on further servers make no sense."""


class Session:
    """Runs a plan. ``run`` gives the report and the exit codes that no run of the report has itself."""

    def __init__(self, plan: Plan, live: Live) -> None:
        self.plan, self.live = plan, live
        self.report = Report([], list(plan.judge.requirements))
        self.codes: list[Exit] = []
        self.signals = 0
        self.checked = False
        self._engine: Engine | None = None
        self._task: asyncio.Task[object] | None = None

    async def run(self) -> tuple[Report, list[Exit]]:
        """Every server of the plan. Ends early when a signal comes: the runs so far are reported."""
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._signalled)
        try:
            for choice in self.plan.servers:
                await self._on_server(choice)
                if self.signals:
                    break
        except Stopped:
            pass
        except asyncio.CancelledError:
            if not self.signals:
                raise
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)
        if self.signals:
            self.codes.append(Exit.INTERRUPTED)
        return self.report, self.codes

    def _signalled(self) -> None:
        self.signals += 1
        if self._engine is not None and self.signals == 1:
            self.live.say("Interrupted: ending the scenarios that run. Press Ctrl-C again to end them at once.")
            self._engine.stop()
        elif self._task is not None:
            self._task.cancel()

    async def _on_server(self, choice: ServerChoice) -> None:
        notes = list(self.plan.notes)
        self.live.total, self.live.phase = 0, f"starting Redis ({choice.image or choice.kind})"
        ticker = asyncio.create_task(self._tick())
        try:
            async with self._server(choice, notes) as server:
                notes += await self._check_testee(server)
                await self._drive(server, choice, notes)
        except NoServer as error:
            self._gave_up(Exit.NO_REDIS, f"No Redis ({' '.join(choice.options) or 'auto'}): {error}")
        except TesteeUnusable as error:
            hint = f"redisipc-conformance check-testee -- {shlex.join(self.plan.command)}"
            self._gave_up(Exit.TESTEE_UNUSABLE, f"The testee cannot be used: {error}\n  {hint}  says more")
            raise Stopped from error
        finally:
            ticker.cancel()
            self.live.clear()

    def _gave_up(self, code: Exit, message: str) -> None:
        message = printable(message)
        self.live.say(self.live.paint(message, "bold red"))
        self.report.problems.append(message.splitlines()[0])
        self.codes.append(code)

    @contextlib.asynccontextmanager
    async def _server(self, choice: ServerChoice, notes: list[str]) -> AsyncIterator[Server]:
        """A thread starts and ends the server. If the wait is cancelled, the thread ends what it has started."""
        abandoned = False
        passed_over: list[str] = []

        def start() -> Server:
            least = self.plan.settings.least_rights
            server = choose(choice.kind, image=choice.image, say=passed_over.append, locked=True, least=least)
            if abandoned:
                server.close()
            return server

        try:
            server = await asyncio.to_thread(start)
        except asyncio.CancelledError:
            abandoned = True
            raise
        notes += [line for line in passed_over if line.startswith("Redis: not ")]
        if server.kind == "model":
            notes.append("no Redis: a model of one, in Python. Do not publish this result")
        try:
            yield server
        finally:
            await asyncio.shield(asyncio.to_thread(server.close))

    @property
    def _scale(self) -> float:
        """The time scale, which also holds for the check before a run."""
        settings = self.plan.settings
        return FOR_A_DEBUGGER if settings.no_timeouts else settings.time_scale

    async def _check_testee(self, server: Server) -> list[str]:
        """Done once: a shim that does not speak the protocol would fail every check for the wrong reason. Returns
        notes.

        If two endpoints do not understand each other, the port may be wrong: the scenarios will name the fault.
        """
        if self.checked:
            return []
        self.live.phase = "checking the testee"
        async with gate(server.url) as url:
            findings = await check(self.plan.command, url, self._scale)
            found = first_wrong(findings)
            if found is not None and (found.name not in ("start", "hello") or _busy()):
                # On a busy machine a correct testee may have been too slow. A wrong one will fail again.
                findings = await check(self.plan.command, url, self._scale * PATIENT)
        astray = next((each for each in findings if _went_astray(each)), None)
        # With requests in progress, it may not leave in time, either.
        wrong = first_wrong([each for each in findings if astray is None or each.name not in ("converse", "shutdown")])
        if wrong is not None:
            raise TesteeUnusable(wrong.sentence)
        self.checked = True
        if astray is None:
            return []
        note = f"before the run two endpoints of the testee did not converse: {astray.sentence}. {_LOOK}"
        self.live.say(self.live.paint(f"Warning: {note}", "yellow"))
        return [note]

    async def _drive(self, server: Server, choice: ServerChoice, notes: list[str]) -> None:
        settings = replace(self.plan.settings, redis=tuple(choice.options))
        engine = self._engine = Engine(settings, server, self.plan.scenarios, self.plan.judge)
        run: Run | None = None
        try:
            async with contextlib.aclosing(engine.run()) as events:
                async for event in events:
                    if isinstance(event, RunStarted):
                        run = self._begun(event, server, notes)
                        self.live.event(run.started)
                        continue
                    if isinstance(event, ScenarioEnded):
                        event = ScenarioEnded(slim(event.result))
                    if run is not None:
                        run.record(event)
                        self.live.event(event)
                    if self._enough(event):
                        engine.stop()
        except (NoServer, TesteeUnusable):
            raise
        except Exception:
            self.live.clear()
            traceback.print_exc(file=sys.stderr)
            if run is not None:
                # Scenarios that had not ended were not judged, so no profile is held.
                run.interrupted = True
            self._gave_up(Exit.SUITE_ERROR, "The suite itself failed; the trace above says where")
        finally:
            self._engine = None
            self.live.total = 0
            self.live.clear()
        if run is not None:
            self._ended(run)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(DRAW_EVERY)
            self.live.tick()

    def _begun(self, started: RunStarted, server: Server, notes: list[str]) -> Run:
        plan = self.plan
        run = Run(
            all_printable(started), selection=plan.selection, thorough=plan.thorough, strict=plan.judge.strict,
            command_line=all_printable(plan.argv), notes=all_printable(notes),
        )  # fmt: skip
        self.report.runs.append(run)
        self.live.lines([*header(run, plan.settings.jobs, self.live.paint, url=server.url), ""])
        return run

    def _enough(self, event: Event) -> bool:
        if not self.plan.stop_at_first or not isinstance(event, ScenarioEnded):
            return False
        return any(fails(check, self.plan.judge.strict) for check in event.result.checks)

    def _ended(self, run: Run) -> None:
        plan = self.plan
        declared, renamed = declared_ids(plan.corpus), renamed_ids(plan.corpus)
        run.problems += plan.judge.known.problems(run.results, run.started.server, declared, renamed)
        run.problems += [
            f"the check {id} counts for this specification and is gone" for id in plan.judge.frozen.missing(plan.corpus)
        ]
        unreasoned = plan.judge.known.unreasoned()
        if unreasoned:
            run.notes.append(f"{len(unreasoned)} known failures have no reason yet: {', '.join(unreasoned[:5])}")
        self.live.lines(summary(self.report, run, paint=self.live.paint, width=self.live.width))
        self.live.lines([""])
