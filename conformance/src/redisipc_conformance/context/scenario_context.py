"""The context of one scenario: its Redis, its stream, its endpoints and peers, its names, and what it has seen."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import string
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..scenario.matchers import show
from ..scenario.model import Scenario, Step
from ..wire import resp
from ..wire.address import Address
from ..wire.client import Client, ConnectionLost, RedisFailure
from ..wire.pulse import Pulse
from ..wire.tap import Tap
from ..within import end_all
from . import notes
from .bindings import Bindings
from .budget_clock import BudgetClock
from .entry_log import EntryLog
from .failure import Crashed, Failed, Stopped, SuiteFault
from .linking import link
from .notes import Note
from .objects import Background, Endpoint, ErrorSeen, Peer, Received, Send, Written
from .processor_wait import ProcessorWait
from .stream_tail import Tail

if TYPE_CHECKING:
    from ..server import Server
    from ..testee.claims import Claims
    from ..testee.process import TesteeProcess

T = TypeVar("T")
_handles = itertools.count(1)


class Processes(Protocol):
    """The testee's processes, as a scenario may use them."""

    async def get(self, name: str) -> TesteeProcess:
        """The process of that name. It is started if it does not run."""

    def listen(self, handle: str, hear: Callable[[str, dict[str, Any]], None]) -> None:
        """Notifications of this endpoint go to `hear`."""

    def unlisten(self, handle: str) -> None: ...

    def expect_end(self, name: str) -> TesteeProcess | None:
        """The process of that name. Its end will not count as a crash, since the scenario kills it."""

    def running(self, name: str) -> TesteeProcess | None: ...


class ScenarioContext(Bindings):
    """Everything that a step may use."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        row: dict[str, Any] | None,
        seed: int,
        client: Client,
        shares_client: bool = False,
        address: Address,
        server: Server | None,
        processes: Processes,
        budgets: Mapping[str, float],
        scale: float,
        claims: Claims,
        budget_clock: BudgetClock,
        waits: ProcessorWait,
        no_timeouts: bool = False,
        delay: float = 0.0,
        user: str | None = None,
        prefix: str = "ripc",
    ) -> None:
        source = random.Random(f"{seed} {scenario.id} {row and row.get('name')}")
        names = random.Random(f"{prefix} {source.getrandbits(64)}")
        super().__init__(
            stream=_stream_name(names),
            seed=seed,
            source=source,
            budgets=budgets,
            scale=scale,
            no_timeouts=no_timeouts,
            delay=delay,
        )
        self.scenario = scenario
        self.stopped_rows: dict[str, Stopped] = {}
        """Rows of a table that could not continue."""
        self.play: Callable[[Sequence[Step]], Awaitable[None]] = _nobody_plays
        self.client, self.shares_client = client, shares_client
        self.address = address
        self.endpoints_address = address if user is None else replace(address, username=user)
        self.server = server
        """The scenario's own server, if it needs one."""
        self.processes = processes
        self.claims = claims
        self.budget_clock = budget_clock
        self.waits = waits
        self.pulse = Pulse()
        self.notes: list[Note] = []
        self.entry_log = EntryLog(self.wall, self.pulse.bump)
        self.entry_log.on_written = self._written
        self.taps: dict[str, Tap] = {}
        self.endpoints: list[Endpoint] = []
        self.peers: list[Peer] = []
        self.sends: list[Send] = []
        self.backgrounds: list[Background] = []
        self.crash: Crashed | None = None
        self.suspects: set[TesteeProcess] = set()
        """Processes that did not answer in time."""
        self.fenced: set[str] = set()
        """Endpoints that have handled everything that the scenario did: after their fence it only observed."""
        self.noise: set[bytes] = set()
        """Ids of the runner's fences, as commands have them."""
        self.cancelled_calls = {s.arguments for s in scenario.walk() if s.word == "cancel"}
        self._stderr_from: dict[TesteeProcess, int] = {}
        self._tail = Tail(address, self.stream, self.entry_log)
        self._tasks: set[asyncio.Task[Any]] = set()
        if row is not None:
            self.set_row(row)

    # Redis, over the runner's own connection

    async def redis(self, who: str, *command: resp.Arg) -> Any:
        """Sends one command and writes it to the transcript. Raises SuiteFault for any error reply."""
        return (await self.batch(who, [command]))[0]

    async def batch(self, who: str, commands: Sequence[Sequence[resp.Arg]], *, errors: bool = False) -> list[Any]:
        """Several at once. `errors`: error replies are values."""
        lines = [Note(time.monotonic(), "suite", who, kind="command", args=c) for c in commands]
        self.notes.extend(lines)
        try:
            replies = await self.client.batch(commands)
        except (OSError, ConnectionLost, RedisFailure) as error:
            for line in lines:
                line.reply = f"(no reply: {error})"
            raise SuiteFault(f"Redis is not there for {notes.command(commands[0])[:80]}: {error}") from error
        for line, command, answer in zip(lines, commands, replies, strict=True):
            line.answer = answer
            if isinstance(answer, resp.ErrorReply) and not errors:
                raise SuiteFault(f"Redis answered {answer.text} to {notes.command(command)[:200]}")
        self.pulse.bump()
        return replies

    async def transaction(self, who: str, commands: Sequence[Sequence[resp.Arg]]) -> list[Any]:
        """Sends all in one MULTI. Returns the replies of the commands."""
        replies = await self.batch(who, [("MULTI",), *commands, ("EXEC",)])
        results: list[Any] = replies[-1]
        for command, result in zip(commands, results, strict=True):
            if isinstance(result, resp.ErrorReply):
                raise SuiteFault(f"Redis answered {result.text} to {notes.command(command)[:200]}")
        return results

    async def look(self, *command: resp.Arg) -> Any:
        """A look at Redis that the transcript omits. Error replies and a lost connection are returned as ErrorReply."""
        try:
            return await self.client.reply(*command)
        except (OSError, ConnectionLost, RedisFailure) as error:
            return resp.ErrorReply(f"AWAY {error}")

    def held_up(self, since: float) -> float:
        """The seconds after `since` in which the runner's commands waited for late replies.

        Only on the connection that all scenarios share: elsewhere, none but this scenario can be the cause.
        """
        return self.client.delays.since(since) if self.shares_client else 0.0

    def held_up_at_once(self, since: float) -> float:
        """The longest of these waits."""
        return self.client.delays.longest(since) if self.shares_client else 0.0

    # The testee

    async def tap(self, label: str) -> Tap:
        """The tap of this endpoint.

        It is made at its first use, so that faults can be armed before the endpoint connects.
        """
        if label not in self.taps:
            tap = Tap(
                self.endpoints_address,
                lambda exchange: self.entry_log.from_tap(label, exchange),
                self.pulse.bump,
                guards=True,
            )
            self.taps[label] = tap
            await tap.start()
        return self.taps[label]

    def new_handle(self, label: str) -> str:
        return f"{label}-{next(_handles)}"

    def attach(self, endpoint: Endpoint) -> None:
        """From now on its notifications are heard."""
        self.endpoints.append(endpoint)
        if endpoint.process is not None:
            self._stderr_from.setdefault(endpoint.process, endpoint.process.stderr_size)
            self.waits.watch(endpoint.process.pid)
        self.processes.listen(endpoint.handle, lambda method, params: self._heard(endpoint, method, params))

    def tell(self, who: str, text: str, reply: str = "") -> Note:
        """Wakes steps that wait for the testee."""
        note = Note(time.monotonic(), "testee", who, text, reply)
        self.notes.append(note)
        return note

    def _heard(self, endpoint: Endpoint, method: str, params: dict[str, Any]) -> None:
        at = self.now()
        if method == "received":
            received = Received(endpoint, params["request"], params, at)
            if received.id in self.entry_log.fences:
                self.spawn(self._pass_fence(received))
                return
            received.written = self.request_of(received)
            text = f"received {params['request']}: id {params.get('id')}, content {show(params.get('content'))}"
            received.note = self.tell(endpoint.label, text)
            endpoint.received.append(received)
            for serve in list(endpoint.servers):
                serve(received)
        elif method == "cancelled":
            for received in endpoint.received:
                if received.request == params["request"]:
                    received.cancelled = True
            self.tell(endpoint.label, f"cancelled {params['request']}")
        elif method == "error":
            fields = params.get("fields") or {}
            error = ErrorSeen(params["kind"], params["message"], fields, at)
            error.note = self.tell(endpoint.label, f"on_error {error.kind}: {error.message}")
            endpoint.errors.append(error)
        self.pulse.bump()

    async def _pass_fence(self, received: Received) -> None:
        process = received.endpoint.process
        assert process is not None
        parameters = {"endpoint": received.endpoint.handle, "request": received.request, "content": None}
        with contextlib.suppress(Exception):
            await process.call("fulfill", parameters, self.budgets["fence"])

    def request_of(self, received: Received) -> Written | None:
        """The entry that a handler was started for. Of several with that id, one for which no handler is known."""
        endpoint = received.endpoint
        found = [w for w in self.entry_log.entries if w.id == received.id and w.status not in ("fulfilled", "rejected")]
        found = [w for w in found if (w.key, w.destination_group) == (endpoint.stream, endpoint.group)] or found
        had = {id(each.written) for other in self.endpoints for each in other.received if each is not received}
        return next((w for w in found if id(w) not in had), found[-1] if found else None)

    def _written(self, written: Written) -> None:
        """A new entry: perhaps the request of a send, perhaps what a handler had already been started for."""
        link(self.sends, written)
        for endpoint in self.endpoints:
            for received in endpoint.received:
                if received.written is None and received.id == written.id:
                    received.written = self.request_of(received)

    def process_gone(self, process: TesteeProcess, why: Exception) -> None:
        """A process of the testee ended without being killed."""
        if self.crash is None and any(endpoint.process is process for endpoint in self.endpoints):
            self.tell("testee", f"the process ended: {why}")
            self.crash = Crashed(str(why))
            self.pulse.bump()

    def raise_if_crashed(self) -> None:
        if self.crash is not None:
            raise self.crash

    def raise_what_failed_beside(self) -> None:
        """Raises the failure of a `background` whose steps the scenario depends on."""
        for background in self.backgrounds:
            if background.awaited and background.task.done() and not background.task.cancelled():
                background.task.result()

    # Running

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """In the background; ended with the scenario."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def open(self) -> None:
        self._tail.start()

    async def stop(self) -> None:
        """Ends what runs in the background."""
        for background in self.backgrounds:
            background.stop()
        await end_all(set(self._tasks))

    async def close(self) -> None:
        """Afterwards nothing of it is left: no connection of the testee, no tap."""
        for endpoint in self.endpoints:
            self.processes.unlisten(endpoint.handle)
        for tap in self.taps.values():
            await tap.close()
        await self._tail.close()
        self.entry_log.settle()

    def stderr(self) -> str:
        """The stderr of this scenario's processes since it began to use them. Others may have started them."""
        said = ((process, process.stderr_size - since) for process, since in self._stderr_from.items())
        return "".join(process.stderr[-size:] for process, size in said if size > 0)


async def _nobody_plays(steps: Sequence[Step]) -> None:
    raise SuiteFault("nobody plays this scenario")


def _stream_name(source: random.Random) -> str:
    """A name that no other scenario has, and that says nothing about its owner."""
    first = source.choice(string.ascii_letters)
    return first + "".join(
        source.choice(string.ascii_letters + string.digits + "-_.") for _ in range(source.randint(15, 24))
    )


__all__ = ["Failed", "Processes", "ScenarioContext"]
