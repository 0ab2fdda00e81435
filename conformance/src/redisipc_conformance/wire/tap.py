"""The tap: a RESP proxy between one endpoint of the testee and Redis.

It listens on a port of its own for each endpoint, so every command it sees is that endpoint's. It records commands *and*
replies with their times, and does to them what armed faults say. Bytes pass unchanged.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import resp
from .address import Address
from .fault import Fault

_SUBSCRIBING = {b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE"}
_NO_REPLY_YET = object()


@dataclass
class Exchange:
    """One command and its reply. Times are seconds of time.monotonic()."""

    connection: int
    args: list[bytes]
    sent: float
    replied: float | None = None
    reply: Any = None
    multi: int | None = None
    result: Any = _NO_REPLY_YET
    fate: str = ""
    members: list[Exchange] = field(default_factory=list)
    """Of an EXEC: the commands of its MULTI."""

    @property
    def name(self) -> bytes:
        return self.args[0].upper() if self.args else b""

    @property
    def done(self) -> bool:
        """Redis ran it: a reply that is no error, for a queued command the EXEC's."""
        return self.result is not _NO_REPLY_YET and not isinstance(self.result, resp.ErrorReply)

    @property
    def answered(self) -> bool:
        return self.result is not _NO_REPLY_YET


@dataclass
class _Slot:
    """A reply that the client waits for: from Redis, or made up here."""

    exchange: Exchange
    local: bytes | None = None
    fault: Fault | None = None
    swallow: bool = False
    """The reply to a command of the tap's own: nobody gets it."""


class Tap:
    """The proxy of one endpoint."""

    def __init__(self, upstream: Address, on_exchange: Callable[[Exchange], None], on_change: Callable[[], None]):
        self.upstream = upstream
        self.exchanges: list[Exchange] = []
        self.faults: list[Fault] = []
        self.refusing = False
        self.refused: list[float] = []
        """When a connection was attempted and refused: seconds of time.monotonic()."""
        self.silent = False
        self._on_exchange = on_exchange
        self._on_change = on_change
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._serial = 0
        self._multis = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Link(self), "127.0.0.1", 0)

    @property
    def url(self) -> str:
        """What the testee is told to connect to."""
        assert self._server is not None
        return self.upstream.url("127.0.0.1", self._server.sockets[0].getsockname()[1], tls=False)

    def arm(self, fault: Fault) -> None:
        self.faults.append(fault)

    def cut(self) -> None:
        """Breaks all connections now."""
        for link in list(self._links):
            link.cut()

    def silence(self) -> None:
        """A black hole: nothing passes in either direction, nothing is closed."""
        self.silent = True

    def resume(self) -> None:
        self.silent = False
        for link in list(self._links):
            link.resume()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()

    # Used by the links

    def next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def next_multi(self) -> int:
        self._multis += 1
        return self._multis

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self._on_change()

    def settled(self, exchange: Exchange) -> None:
        self._on_exchange(exchange)
        self._on_change()

    def enter(self, link: _Link) -> None:
        self._links.add(link)

    def leave(self, link: _Link) -> None:
        self._links.discard(link)

    def fault_for(self, args: list[bytes], queued: list[Exchange]) -> Fault | None:
        for fault in self.faults:
            if fault.strikes(args, [exchange.args for exchange in queued]):
                self._on_change()
                return fault
        return None


class _Upstream(asyncio.Protocol):
    def __init__(self, link: _Link):
        self.link = link

    def data_received(self, data: bytes) -> None:
        self.link.from_redis(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.link.redis_left()


@dataclass(eq=False)
class _Link(asyncio.Protocol):
    """One connection of the testee and its twin to Redis."""

    tap: Tap
    number: int = 0
    client: asyncio.Transport | None = None
    redis: asyncio.Transport | None = None
    inbound: bytearray = field(default_factory=bytearray)
    replies: bytearray = field(default_factory=bytearray)
    slots: list[_Slot] = field(default_factory=list)
    queue: list[Exchange] = field(default_factory=list)
    multi: int | None = None
    aborted: bool = False
    subscribed: bool = False
    held_commands: bool = False
    held_replies: bool = False
    closed: bool = False
    outgoing: list[bytes] = field(default_factory=list)
    """Replies on their way to the testee: what came together goes on together."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    # The testee's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.client = transport
        if self.tap.refusing:
            self.tap.refused.append(time.monotonic())
            transport.abort()
            return
        self.number = self.tap.next_serial()
        self.tap.enter(self)
        task = asyncio.get_running_loop().create_task(self._reach_redis())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reach_redis(self) -> None:
        up = self.tap.upstream
        context = ssl.create_default_context() if up.tls else None
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: _Upstream(self), up.host, up.port, ssl=context
            )
        except OSError:
            self.cut()
            return
        if self.closed:
            transport.abort()
            return
        self.redis = transport
        self._forward()

    def data_received(self, data: bytes) -> None:
        self.inbound += data
        self._forward()

    def connection_lost(self, exc: Exception | None) -> None:
        self.cut()

    def cut(self) -> None:
        self._flush()
        self.closed = True
        self.tap.leave(self)
        for transport in (self.client, self.redis):
            if transport is not None:
                transport.abort()

    def resume(self) -> None:
        self._forward()
        self._reply()

    def _forward(self) -> None:
        """Commands that are complete go on to Redis, each looked at."""
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
            # Not for the tap to judge: Redis says what it thinks of it.
            out.append(bytes(self.inbound[at:]))
            at = len(self.inbound)
        del self.inbound[:at]
        if out and self.redis is not None and not self.closed:
            self.redis.write(out[0] if len(out) == 1 else b"".join(out))
        self._local()
        self._flush()

    def _command(self, args: list[bytes], raw: bytes, out: list[bytes]) -> None:
        exchange = Exchange(self.number, args, time.monotonic(), multi=self.multi)
        name = exchange.name
        fault = self.tap.fault_for(args, self.queue) if self.tap.faults else None
        if fault is not None and fault.do == "cut-before":
            exchange.fate = "never arrived: connection cut by the suite"
            self.tap.record(exchange)
            self._write_now(out)
            self.cut()
            return
        if fault is not None and fault.do == "hold":
            self.held_commands = True
            exchange.fate = "held back by the suite"
            self.tap.record(exchange)
            fault.release.append(lambda: self._let_go(exchange, raw))
            return
        if fault is not None and fault.do in ("error", "reply"):
            self._made_up(exchange, fault, out)
            return
        if name == b"EXEC" and self.aborted:
            refused = resp.ErrorReply("EXECABORT Transaction discarded because of previous errors.")
            exchange.fate = "refused by the suite"
            self._instead_of_exec(exchange, refused, out)
            return
        out.append(raw)
        self._begin(exchange)
        if name not in _SUBSCRIBING:
            self.slots.append(_Slot(exchange, fault=fault))
        if fault is not None:
            exchange.fate = {
                "drop-reply": "connection cut by the suite before the reply",
                "hold-reply": "reply held by the suite",
                "delay": f"reply delayed by {fault.seconds:g} s",
                "lose": "reply lost by the suite",
            }.get(fault.do, "")

    def _begin(self, exchange: Exchange) -> None:
        """Follows the transaction and the subscription state of the connection."""
        name = exchange.name
        if name == b"MULTI":
            self.multi = exchange.multi = self.tap.next_multi()
            self.queue, self.aborted = [], False
        elif name in (b"EXEC", b"DISCARD"):
            exchange.members, self.queue = self.queue, []
            self.multi = None
            self.aborted = False
        elif name in _SUBSCRIBING:
            self.subscribed = True
        elif self.multi is not None:
            self.queue.append(exchange)
        self.tap.record(exchange)

    def _made_up(self, exchange: Exchange, fault: Fault, out: list[bytes]) -> None:
        value = resp.ErrorReply(fault.text) if fault.do == "error" else fault.reply
        exchange.fate = "answered by the suite"
        if exchange.name == b"EXEC" and self.multi is not None:
            self._instead_of_exec(exchange, value, out)
            return
        if self.multi is not None and fault.do == "error":
            self.aborted = True
        self.tap.record(exchange)
        self.slots.append(_Slot(exchange, resp.encode_reply(value)))

    def _instead_of_exec(self, exchange: Exchange, value: Any, out: list[bytes]) -> None:
        """Redis must not be left inside a MULTI that the client thinks is over."""
        out.append(resp.encode_command([b"DISCARD"]))
        self.slots.append(_Slot(exchange, swallow=True))
        self._begin(exchange)
        self.slots.append(_Slot(exchange, resp.encode_reply(value)))

    def _write_now(self, out: list[bytes]) -> None:
        if out and self.redis is not None:
            self.redis.write(b"".join(out))
            out.clear()

    def _let_go(self, exchange: Exchange, raw: bytes) -> None:
        if self.closed or self.redis is None:
            return
        exchange.fate = "held back by the suite, then sent"
        self.held_commands = False
        self.redis.write(raw)
        if exchange in self.tap.exchanges:
            self.tap.exchanges.remove(exchange)
        exchange.sent = time.monotonic()
        self._begin(exchange)
        self.slots.append(_Slot(exchange))
        self._forward()

    # Redis' side

    def from_redis(self, data: bytes) -> None:
        self.replies += data
        self._reply()

    def redis_left(self) -> None:
        if self.client is not None and not self.closed:
            # What Redis said before it left still goes to the testee.
            self._reply()
            self._flush()
            self.client.close()
        self.closed = True
        self.tap.leave(self)

    def _flush(self) -> None:
        out, self.outgoing = self.outgoing, []
        if out and self.client is not None and not self.closed:
            self.client.write(out[0] if len(out) == 1 else b"".join(out))

    def _local(self) -> None:
        """Replies made up here, when it is their turn."""
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
        if isinstance(value, resp.Push) or (self.subscribed and not self._expects(value)) or not self.slots:
            self.outgoing.append(raw)
            return
        slot = self.slots.pop(0)
        if not slot.swallow:
            self._deliver(slot, value, raw)

    def _expects(self, value: Any) -> bool:
        """On a RESP2 connection that subscribed, messages look like replies: only PING and the like are answered."""
        pushed = isinstance(value, list) and value and isinstance(value[0], bytes) and value[0] in (
            b"message", b"pmessage", b"smessage", b"subscribe", b"psubscribe", b"ssubscribe",
            b"unsubscribe", b"punsubscribe", b"sunsubscribe",
        )  # fmt: skip
        return bool(self.slots) and not pushed

    def _deliver(self, slot: _Slot, value: Any, raw: bytes) -> None:
        exchange = slot.exchange
        exchange.replied = time.monotonic()
        exchange.reply = value
        self._results(exchange, value)
        fault = slot.fault
        if fault is not None and fault.do == "drop-reply":
            self.cut()
            return
        if fault is not None and fault.do == "lose":
            # Nor does any reply after it: a client would take the next one for this one's.
            self.held_replies = True
            return
        if fault is not None and fault.do in ("hold-reply", "delay"):
            self.held_replies = True

            def let_go() -> None:
                self.held_replies = False
                self.outgoing.append(raw)
                self._reply()

            if fault.do == "delay":
                asyncio.get_running_loop().call_later(fault.seconds, let_go)
            else:
                fault.release.append(let_go)
            return
        self.outgoing.append(raw)

    def _results(self, exchange: Exchange, value: Any) -> None:
        """What each command of a MULTI came to is known with the EXEC."""
        if exchange.name == b"EXEC":
            queued = [e for e in exchange.members if not e.answered]
            if isinstance(value, list) and len(value) == len(queued):
                for each, result in zip(queued, value, strict=True):
                    each.result = result
                    self.tap.settled(each)
            else:
                for each in queued:
                    each.result = value if value is not None else resp.ErrorReply("NULL the watched key changed")
                    self.tap.settled(each)
        if exchange.multi is not None and exchange.name not in (b"EXEC", b"MULTI", b"DISCARD") and value == b"QUEUED":
            return
        exchange.result = value
        self.tap.settled(exchange)


async def close_all(taps: list[Tap]) -> None:
    """Closes them, whatever happens."""
    for tap in taps:
        with contextlib.suppress(Exception):
            await tap.close()
