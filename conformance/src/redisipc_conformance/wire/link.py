"""One connection of the testee through its tap: commands on their way to Redis, replies on their way back."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from . import resp
from .address import Address
from .exchange import Exchange
from .fault import Fault
from .guarded import answer, greet, is_refused
from .mode import Mode
from .pipe import Intake, Pace, Pipe, end
from .slot import SUBSCRIBING, Slot, is_pushed, settle, with_refusals
from .upstream import Upstream


class Owner(Protocol):
    """The tap that accepted a connection (`tap.Tap`), as far as the connection uses it."""

    upstream: Address
    guards: bool
    pace: Pace
    exchanges: list[Exchange]
    faults: list[Fault]
    silent: bool
    longest_reply: int
    refusing: bool

    def enter(self, link: Link) -> int:
        """Registers the connection. Returns its number."""

    def refuse(self) -> None: ...
    def leave(self, link: Link) -> None: ...
    def next_multi(self) -> int: ...
    def record(self, exchange: Exchange) -> None: ...
    def settled(self, exchange: Exchange) -> None: ...
    def fault_for(self, args: list[bytes], queued: list[Exchange]) -> Fault | None: ...


@dataclass(eq=False)
class Link(asyncio.Protocol):
    """A connection of the testee, and the matching connection to Redis."""

    tap: Owner
    number: int = 0
    client: asyncio.Transport | None = None
    redis: asyncio.Transport | None = None
    last: bytes = b""
    """The name of the command that was sent last."""
    dead: bool = False
    """Half open: the tap does not forward data from either side, and neither side notices."""
    inbound: bytearray = field(default_factory=bytearray)
    replies: bytearray = field(default_factory=bytearray)
    slots: list[Slot] = field(default_factory=list)
    raw: bool = False
    """The connection of a replica: after PSYNC there are no commands and replies, and all bytes pass unchanged."""
    held_commands: bool = False
    held_replies: bool = False
    closed: bool = False
    outgoing: list[bytes] = field(default_factory=list)
    """Replies on their way to the testee: replies that came together are forwarded together."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.mode = Mode(self.tap.next_multi)
        self.to_redis = Pipe(self.tap.pace, lambda: self.redis, upward=True)
        self.intake = Intake(self.tap.pace, lambda: self.client)
        self.to_client = Pipe(self.tap.pace, lambda: self.client)

    # The testee's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.client = transport
        if self.tap.refusing:
            self.tap.refuse()
            transport.abort()
            return
        self.number = self.tap.enter(self)
        task = asyncio.get_running_loop().create_task(self._reach_redis())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reach_redis(self) -> None:
        up = self.tap.upstream
        context = ssl.create_default_context() if up.tls else None
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: Upstream(self), up.host, up.port, ssl=context
            )
        except OSError:
            self.cut()
            return
        if self.closed:
            transport.abort()
            return
        self.redis = transport
        if self.tap.guards:
            self.slots += greet(transport, up, self.number)
        self._forward()

    def data_received(self, data: bytes) -> None:
        if self.raw:
            self.to_redis.write(data)
        elif not self.dead:
            self.intake.took(len(data))
            self.inbound += data
            self._forward()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.dead or (self.tap.silent and not self.closed):
            # Redis gets it only after the silence is over.
            self.client = None
        else:
            self.cut()

    def cut(self, how: Literal["abort", "reset", "close"] = "abort") -> None:
        self._flush()
        self.closed = True
        self.tap.leave(self)
        for pipe in (self.to_redis, self.to_client):
            pipe.close()
        for transport in (self.client, self.redis):
            if transport is not None:
                end(transport, how)

    def resume(self) -> None:
        if self.client is None:
            self.cut()
            return
        self._forward()
        self._reply()

    def _forward(self) -> None:
        """Inspects each complete command and forwards it to Redis."""
        if self.redis is None or self.held_commands or self.tap.silent or self.closed:
            return
        at = 0
        out: list[bytes] = []
        try:
            while at < len(self.inbound) and not self.held_commands and not self.closed:
                args, end = resp.parse_command(self.inbound, at)
                raw = bytes(self.inbound[at:end])
                at = end
                if args:
                    self._command(args, raw, out)
        except resp.Incomplete:
            pass
        except (resp.ProtocolError, ValueError):
            # The tap does not judge it: Redis answers it.
            out.append(bytes(self.inbound[at:]))
            at = len(self.inbound)
        del self.inbound[:at]
        self._write_now(out)
        self._local()
        self._flush()

    def _command(self, args: list[bytes], raw: bytes, out: list[bytes]) -> None:
        exchange = Exchange(self.number, args, time.monotonic(), multi=self.mode.multi)
        name = self.last = exchange.name
        if self.tap.guards and is_refused(args):
            self._made_up(exchange, answer(), out)
            return
        fault = self.tap.fault_for(args, self.mode.queue) if self.tap.faults else None
        do = fault.do if fault is not None else ""
        if do in ("cut-before", "cut-within"):
            part = raw[: len(raw) // 2] if do == "cut-within" else b""
            exchange.fate = "never arrived: connection cut by the suite" + (" within it" if part else "")
            self.tap.record(exchange)
            self._write_now([*out, part])
            out.clear()
            self.cut("close" if part else "abort")
            return
        if fault is not None and do == "hold":
            self.held_commands = True
            exchange.fate = "held back by the suite"
            self.tap.record(exchange)
            fault.release.append(lambda: self._let_go(exchange, raw))
            return
        if fault is not None and do == "error" and fault.alone and self.mode.multi is not None and name != b"EXEC":
            exchange.fate = "refused inside EXEC by the suite"
            exchange.refusal = resp.ErrorReply(fault.text)
            # Redis executes something harmless in its place, so that EXEC has a reply for it.
            out.append(resp.encode_command([b"TIME"]))
            self._begin(exchange)
            self.slots.append(Slot(exchange))
            return
        if fault is not None and do in ("error", "reply"):
            self._made_up(exchange, fault, out)
            return
        if name == b"EXEC" and self.mode.aborted:
            refused = resp.ErrorReply("EXECABORT Transaction discarded because of previous errors.")
            exchange.fate = "refused by the suite"
            self._instead_of_exec(exchange, refused, out)
            return
        out.append(raw)
        self.raw = name == b"PSYNC"
        self._begin(exchange)
        if name not in SUBSCRIBING and not self.raw:
            self.slots.append(Slot(exchange, fault=fault))
        if fault is not None:
            exchange.fate = fault.fate

    def _begin(self, exchange: Exchange) -> None:
        self.mode.follow(exchange)
        self.tap.record(exchange)

    def _made_up(self, exchange: Exchange, fault: Fault, out: list[bytes]) -> None:
        value = resp.ErrorReply(fault.text) if fault.do == "error" else fault.reply
        exchange.fate = "answered by the suite"
        if exchange.name == b"EXEC" and self.mode.multi is not None:
            self._instead_of_exec(exchange, value, out)
            return
        if self.mode.multi is not None and fault.do == "error":
            self.mode.aborted = True
        self.tap.record(exchange)
        self.slots.append(Slot(exchange, resp.encode_reply(value), fault))

    def _instead_of_exec(self, exchange: Exchange, value: Any, out: list[bytes]) -> None:
        """Redis must not be left inside a MULTI that the client thinks is over."""
        out.append(resp.encode_command([b"DISCARD"]))
        self.slots.append(Slot(exchange, swallow=True))
        self._begin(exchange)
        self.slots.append(Slot(exchange, resp.encode_reply(value)))

    def _write_now(self, out: list[bytes]) -> None:
        if out and self.redis is not None and not self.closed:
            self.to_redis.write(out[0] if len(out) == 1 else b"".join(out))
            out.clear()

    def _let_go(self, exchange: Exchange, raw: bytes) -> None:
        if self.closed or self.redis is None:
            return
        exchange.fate = "held back by the suite, then sent"
        self.held_commands = False
        self.to_redis.write(raw)
        if exchange in self.tap.exchanges:
            self.tap.exchanges.remove(exchange)
        exchange.sent = time.monotonic()
        self._begin(exchange)
        self.slots.append(Slot(exchange))
        self._forward()

    # Redis' side

    def from_redis(self, data: bytes) -> None:
        if self.raw:
            self.to_client.write(data)
        else:
            self.replies += data
            self._reply()

    def redis_left(self) -> None:
        if self.dead:
            self.redis = None
            return
        if self.client is not None and not self.closed:
            # Bytes that Redis sent before its end still go to the testee.
            self._reply()
            self._flush()
            self.client.close()
        self.closed = True
        self.tap.leave(self)

    def _flush(self) -> None:
        out, self.outgoing = self.outgoing, []
        if out and self.client is not None and not self.closed and not self.dead:
            self.to_client.write(out[0] if len(out) == 1 else b"".join(out))

    def _local(self) -> None:
        """Sends replies that the tap makes, when it is their turn."""
        while self.slots and self.slots[0].local is not None and not self.held_replies and not self.tap.silent:
            slot = self.slots.pop(0)
            assert slot.local is not None
            value, _ = resp.parse(slot.local)
            self._deliver(slot, value, slot.local)

    def _reply(self) -> None:
        at = 0
        try:
            while at < len(self.replies) and not self.held_replies and not self.tap.silent and not self.closed:
                self._local()
                value, end = resp.parse(self.replies, at)
                raw = bytes(self.replies[at:end])
                at = end
                self._one_reply(value, raw)
        except resp.Incomplete:
            pass
        except (resp.ProtocolError, ValueError):
            self.outgoing.append(bytes(self.replies[at:]))
            at = len(self.replies)
        del self.replies[:at]
        self._local()
        self._flush()

    def _one_reply(self, value: Any, raw: bytes) -> None:
        if not self.slots or isinstance(value, resp.Push) or (self.mode.subscribed and is_pushed(value)):
            self.outgoing.append(raw)
            return
        slot = self.slots.pop(0)
        if not slot.swallow:
            self._deliver(slot, value, raw)

    def _deliver(self, slot: Slot, value: Any, raw: bytes) -> None:
        exchange = slot.exchange
        exchange.replied = time.monotonic()
        if exchange.name == b"EXEC":
            value, raw = with_refusals(exchange, value, raw)
        exchange.reply = value
        settle(exchange, value, self.tap.settled)
        if 0 < self.tap.longest_reply < len(raw):
            exchange.fate = f"connection cut by the suite: the reply has {len(raw)} bytes, over its limit"
            self.cut()
            return
        fault = slot.fault
        do = fault.do if fault is not None else ""
        if do in ("drop-reply", "reply-within"):
            if do == "reply-within":
                self.outgoing.append(raw[: len(raw) // 2])
            self.cut("close" if do == "reply-within" else "abort")
            return
        if do == "lose":
            # No reply after it is sent, either: a client would take the next one for this one's.
            self.held_replies = True
            return
        late = fault is not None and (do == "delay" or (do == "reply" and fault.seconds > 0))
        # One that was lifted before the reply came holds nothing: nobody would release it.
        if fault is not None and (late or (do == "hold-reply" and not fault.lifted)):
            self.held_replies = True

            def let_go() -> None:
                self.held_replies = False
                self.outgoing.append(raw)
                self._reply()

            if late:
                asyncio.get_running_loop().call_later(fault.seconds, let_go)
            else:
                fault.release.append(let_go)
            return
        self.outgoing.append(raw)
