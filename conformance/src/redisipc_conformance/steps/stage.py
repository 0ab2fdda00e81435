"""Where one scenario is played: its Redis, its stream, its endpoints and peers, the names it has given, and what it has seen."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..scenario.matchers import Matcher, differs, show
from ..scenario.model import Scenario, Step
from ..scenario.values import BadValue, Maker
from ..wire import resp
from ..wire.address import Address
from ..wire.client import Client, ConnectionLost, RedisFailure
from ..wire.pulse import Pulse
from ..wire.tap import Exchange, Tap
from ..within import end_all, within
from . import notes
from .failure import Consequence, Crashed, Failed, Stopped, SuiteFault
from .ledger import Ledger
from .notes import Note
from .patience import Patience
from .tail import Tail
from .things import Endpoint, ErrorSeen, Going, Member, Peer, Received, Send, Thing, Written

if TYPE_CHECKING:
    from ..server import Server
    from ..testee.process import TesteeProcess

T = TypeVar("T")
_handles = itertools.count(1)


class Processes(Protocol):
    """The testee's processes, as a scenario may use them."""

    async def get(self, name: str) -> TesteeProcess:
        """The process of that name, started where it does not run."""

    def listen(self, handle: str, hear: Callable[[str, dict[str, Any]], None]) -> None:
        """Notifications of this endpoint go to `hear`."""

    def unlisten(self, handle: str) -> None: ...

    def expect_end(self, name: str) -> TesteeProcess | None:
        """The process of that name, whose end will be no crash: the scenario kills it."""

    def running(self, name: str) -> TesteeProcess | None: ...


class Stage:
    """Everything that a step may touch."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        row: dict[str, Any] | None,
        seed: int,
        client: Client,
        address: Address,
        server: Server | None,
        processes: Processes,
        budgets: Mapping[str, float],
        scale: float,
        features: frozenset[str],
        patience: Patience,
        no_timeouts: bool = False,
    ) -> None:
        self.scenario = scenario
        self.row: dict[str, Any] | None = None
        self.stopped_rows: dict[str, Stopped] = {}
        """Rows of a table that could not go on."""
        self.play: Callable[[Sequence[Step]], Awaitable[None]] = _nobody_plays
        self.seed = seed
        self.source = random.Random(f"{seed} {scenario.id} {row and row.get('name')}")
        self.client = client
        self.address = address
        self.server = server
        """The scenario's own server, where it needs one."""
        self.processes = processes
        self.budgets = budgets
        self.scale = scale
        self.features = features
        self.patience = patience
        self.no_timeouts = no_timeouts
        self.stream = f"ripc-{self.source.getrandbits(64):016x}"
        self.pulse = Pulse()
        self.began = time.monotonic()
        self._epoch = time.time() - self.began
        self.notes: list[Note] = []
        self.ledger = Ledger(self.wall, self.pulse.bump)
        self.ledger.on_written = self._written
        self.names: dict[str, Any] = {}
        self.lost: dict[str, int] = {}
        """Names that a failed step would have given, with its line."""
        self.taps: dict[str, Tap] = {}
        self.endpoints: list[Endpoint] = []
        self.peers: list[Peer] = []
        self.sends: list[Send] = []
        self.going: list[Going] = []
        self.crash: Crashed | None = None
        self.suspects: set[TesteeProcess] = set()
        """Processes that did not answer in time."""
        self.budget_uses: list[tuple[str, float, float]] = []
        self.fenced: set[str] = set()
        """Endpoints that have dealt with everything that the scenario did: since their fence it only looked."""
        self.noise: set[bytes] = set()
        """Ids of the runner's fences, as they stand in commands."""
        self.fence_endpoint: dict[str, Endpoint] = {}
        self.cancelled_calls = {s.arguments for s in scenario.walk() if s.word == "cancel"}
        self._stderr_from: dict[TesteeProcess, int] = {}
        self._tail = Tail(address, self.stream, self.ledger)
        self._tasks: set[asyncio.Task[Any]] = set()
        if row is not None:
            self.set_row(row)

    # Time

    def wall(self, moment: float) -> float:
        """A time.monotonic() as seconds of the runner's clock, which is what scenarios calculate with."""
        return self._epoch + moment

    def now(self) -> float:
        return self.wall(time.monotonic())

    def seconds(self, written: Any) -> float:
        """A number of seconds as a step says it, stretched by --time-scale."""
        value = self.value(written)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise SuiteFault(f"{show(value)} is no number of seconds")
        return float(value) * self.scale

    def allowance(self, step: Step, budget: str, allowed: float | None = None) -> tuple[str, float]:
        """The name and length of the budget that this expectation waits for."""
        if step.within is None:
            return (budget, self.budgets[budget] if allowed is None else allowed)
        within = self.value(step.within)
        if isinstance(within, str):
            if within not in self.budgets:
                raise SuiteFault(f"{within!r} is no budget; there are {', '.join(self.budgets)}")
            return within, self.budgets[within]
        return "", self.budgets[budget] if self.no_timeouts else max(self.seconds(within), 0.0)

    def used(self, budget: str, allowed: float, used: float) -> None:
        if budget:
            self.budget_uses.append((budget, allowed, used))

    def set_row(self, row: dict[str, Any]) -> None:
        """The row of the table that `${row.*}` speaks of."""
        self.row = {name: self.expected(written) for name, written in row.items()}

    # Names and values

    @property
    def make(self) -> Maker:
        return Maker(self._lookup, self.source)

    def value(self, written: Any) -> Any:
        try:
            return self.make.value(written)
        except BadValue as error:
            raise SuiteFault(str(error)) from error

    def expected(self, written: Any) -> Any:
        try:
            return self.make.expected(written)
        except BadValue as error:
            raise SuiteFault(str(error)) from error

    def _lookup(self, name: str) -> Any:
        first, *parts = name.split(".")
        value: Any
        if first == "stream" and not parts:
            return self.stream
        if first == "seed" and not parts:
            return self.seed
        if first == "row":
            if self.row is None:
                raise BadValue(f"${{{name}}}: there is no row here")
            value = self.row
        else:
            value = self._named(first)
        for part in parts:
            value = self._part(name, value, part)
        return value.part("at") if isinstance(value, Thing) and "at" in value.PARTS and not parts else value

    def _named(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in self.lost:
            raise Consequence(f"this needs {name!r}, which line {self.lost[name]} did not give")
        raise BadValue(f"nothing is called {name!r}; there are {', '.join(sorted(self.names)) or 'no names yet'}")

    @staticmethod
    def _part(name: str, value: Any, part: str) -> Any:
        if isinstance(value, Thing):
            try:
                return value.part(part)
            except BadValue as error:
                if isinstance(value, Send):
                    raise Consequence(f"${{{name}}}: {error}") from error
                raise BadValue(f"${{{name}}}: {error}") from error
        if isinstance(value, dict) and part in value:
            return value[part]
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            return value[int(part)]
        raise BadValue(f"${{{name}}}: there is no {part!r} in {show(value)}")

    def thing(self, written: Any, kind: type[T], *kinds: type[Any]) -> T:
        """What a label stands for; it must be of one of these kinds."""
        label = self.value(written)
        if not isinstance(label, str):
            raise SuiteFault(f"{show(label)} is no name")
        try:
            found = self._named(label)
        except BadValue as error:
            raise SuiteFault(str(error)) from error
        if not isinstance(found, (kind, *kinds)):
            raise SuiteFault(f"{label!r} is a {type(found).__name__.lower()}; a {kind.__name__.lower()} is needed here")
        return found  # type: ignore[return-value]

    def group(self, written: Any) -> str:
        """A group: the name of an endpoint or peer stands for its group, any other string is the group itself."""
        name = self.value(written)
        found = self.names.get(name) if isinstance(name, str) else None
        return found.group if isinstance(found, Member) else str(name)

    @contextmanager
    def naming(self, **names: Any) -> Iterator[None]:
        """These names too, while it lasts."""
        before = {name: self.names.get(name) for name in names}
        self.names.update(names)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    self.names.pop(name, None)
                else:
                    self.names[name] = value

    def bind(self, name: str, value: Any) -> None:
        self.names[name] = value
        self.lost.pop(name, None)
        if isinstance(value, Written):
            value.named = True

    # Redis, by the runner's own hand

    async def redis(self, who: str, *command: resp.Arg) -> Any:
        """One command, told in the transcript. Raises SuiteFault for an error reply: the runner expects none."""
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
        """All in one MULTI; the replies of the commands."""
        replies = await self.batch(who, [("MULTI",), *commands, ("EXEC",)])
        results: list[Any] = replies[-1]
        for command, result in zip(commands, results, strict=True):
            if isinstance(result, resp.ErrorReply):
                raise SuiteFault(f"Redis answered {result.text} to {notes.command(command)[:200]}")
        return results

    async def look(self, *command: resp.Arg) -> Any:
        """A look at Redis, not told in the transcript. Error replies and a lost connection are given as ErrorReply."""
        try:
            return await self.client.reply(*command)
        except (OSError, ConnectionLost, RedisFailure) as error:
            return resp.ErrorReply(f"AWAY {error}")

    # The testee

    async def tap(self, label: str) -> Tap:
        """The tap of this endpoint; made when it is first needed, so that faults can be armed before it connects."""
        if label not in self.taps:
            tap = Tap(self.address, lambda exchange: self.ledger.from_tap(label, exchange), self.pulse.bump)
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
        self.processes.listen(endpoint.handle, lambda method, params: self._heard(endpoint, method, params))

    def tell(self, who: str, text: str, reply: str = "") -> Note:
        """Something happened at the testee."""
        note = Note(time.monotonic(), "testee", who, text, reply)
        self.notes.append(note)
        return note

    def _heard(self, endpoint: Endpoint, method: str, params: dict[str, Any]) -> None:
        at = self.now()
        if method == "received":
            received = Received(endpoint, params["request"], params, at)
            if received.id in self.ledger.fences:
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
        found = [w for w in self.ledger.entries if w.id == received.id and w.status not in ("fulfilled", "rejected")]
        return found[-1] if found else None

    def _written(self, written: Written) -> None:
        """A new entry: perhaps the request of a send, perhaps what a handler had already been started for."""
        self._link(written)
        for endpoint in self.endpoints:
            for received in endpoint.received:
                if received.written is None and received.id == written.id and written.status == "pending":
                    received.written = written

    def _link(self, written: Written) -> None:
        """Which send an entry of the testee belongs to: the one that says the same, else the only one it can be."""
        if written.by_suite or written.status in ("fulfilled", "rejected"):
            return
        open_sends = [
            send
            for send in self.sends
            if send.entry is None and (not written.by or send.endpoint.label == written.by) and send.at <= written.at
        ]
        if any(send.entry is not None and send.entry.id == written.id for send in self.sends):
            return
        exact = next((send for send in open_sends if _says_the_same(send, written)), None)
        chosen = exact or next((send for send in open_sends if written.destination_group == send.to), None)
        if chosen is None and open_sends and written.by:
            chosen = open_sends[0]
        if chosen is not None:
            chosen.entry = written

    def process_gone(self, process: TesteeProcess, why: Exception) -> None:
        """A process of the testee ended that nobody killed."""
        if self.crash is None and any(endpoint.process is process for endpoint in self.endpoints):
            self.tell("testee", f"the process ended: {why}")
            self.crash = Crashed(str(why))
            self.pulse.bump()

    def raise_if_crashed(self) -> None:
        if self.crash is not None:
            raise self.crash

    # Running

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """In the background; ended with the scenario."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def open(self) -> None:
        self._tail.start()

    async def close(self) -> None:
        """Nothing of the scenario goes on after this: no task, no tap, no key."""
        for going in self.going:
            going.stop()
        await end_all(set(self._tasks))
        for tap in self.taps.values():
            for fault in tap.faults:
                fault.lift()
            tap.refusing = False
            tap.resume()
        await asyncio.gather(*(self._leave(endpoint) for endpoint in self.endpoints if endpoint.connected))
        for endpoint in self.endpoints:
            self.processes.unlisten(endpoint.handle)
        for tap in self.taps.values():
            await tap.close()
        await self._tail.close()
        self.ledger.settle()
        await self._sweep()

    async def _leave(self, endpoint: Endpoint) -> None:
        process = endpoint.process
        if process is None or process.gone is not None or process.broken is not None or process in self.suspects:
            return
        try:
            future = await process.begin("disconnect", {"endpoint": endpoint.handle})
            await self.patience.wait(future, self.budgets["disconnect"])
        except Exception:
            self.suspects.add(process)
        endpoint.connected = False

    async def _sweep(self) -> None:
        keys: set[resp.Arg] = {self.stream}
        prefix = self.stream.encode()
        for tap in self.taps.values():
            keys |= {e.args[1] for e in tap.exchanges if len(e.args) > 1 and e.args[1].startswith(prefix)}
        keys |= {peer.key for peer in self.peers}
        if self.server is None:
            with contextlib.suppress(Exception):
                await within(self.client.reply("DEL", *keys), 2.0)

    def stderr(self) -> str:
        """What the processes that this scenario used have written since it used them; others may have made them."""
        said = ((process, process.stderr_size - since) for process, since in self._stderr_from.items())
        return "".join(process.stderr[-size:] for process, size in said if size > 0)

    def visible(self, exchanges: Sequence[Exchange]) -> list[Exchange]:
        """All but what only a fence made the testee do."""
        if not self.noise:
            return list(exchanges)
        transactions = {
            e.multi for e in exchanges if e.name == b"EXEC" and e.members and all(map(self._noise, e.members))
        }
        return [
            e
            for e in exchanges
            if not self._noise(e)
            and not (e.name in (b"MULTI", b"EXEC") and (e.multi in transactions) and e.multi is not None)
        ]

    def _noise(self, exchange: Exchange) -> bool:
        """Whether a command names fences, and no entry besides."""
        named = [arg for arg in exchange.args[1:] if arg in self.noise]
        if not named:
            return False
        if exchange.name == b"XADD":
            return True
        return all(arg in self.noise for arg in exchange.args[2:] if _is_entry_id(arg))


async def _nobody_plays(steps: Sequence[Step]) -> None:
    raise SuiteFault("nobody plays this scenario")


def _is_entry_id(arg: bytes) -> bool:
    first, dash, second = arg.partition(b"-")
    return bool(dash) and first.isdigit() and second.isdigit() and len(first) > 8


def _says_the_same(send: Send, written: Written) -> bool:
    if written.destination_group != send.to:
        return False
    if not send.channel:
        return differs(send.content, written.content) is None
    content = written.content
    return isinstance(content, dict) and differs(Matcher({"$has": send.content}), content) is None


__all__ = ["Failed", "Processes", "Stage"]
