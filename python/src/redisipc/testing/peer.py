"""The other side: a member of a group that a test plays, with answers that the test sets in advance."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple

from redisipc.calls import explained
from redisipc.errors import ConfigurationError, ContentError, Reject, RequestTimeout
from redisipc.protocol.commands import Failure
from redisipc.protocol.content import decode, encode
from redisipc.protocol.entry import PENDING, Entry, build, parse
from redisipc.protocol.names import Names, check_group, check_name, new_instance_id, new_request_id
from redisipc.protocol.reasons import ReasonCode, reason
from redisipc.protocol.settings import check_grace
from redisipc.runtime.hooks import check_function, is_async
from redisipc.runtime.reasons import crash, text_of
from redisipc.runtime.response import Response

from .connection import Connection
from .redis_model import Client
from .server import Server


class Rule(NamedTuple):
    """The way to treat a request: ``how`` is ``answer``, ``reject`` or ``never``."""

    how: str
    what: Any
    after: float
    event: str | None


class Asking(NamedTuple):
    """A request of the peer's own."""

    future: Future[Response]
    entry_id: bytes
    sent_at: float


@explained
class Peer:
    """A member of ``group`` on every stream of the hub, or on ``stream`` alone, from ``Hub.peer``.

    ``answers``, ``rejects`` and ``never`` say how it treats requests; without them it never answers. ``requests`` lists the
    contents that it got. ``errors`` lists the exceptions of functions of ``answers``: such a request is rejected.
    """

    kind = "peer"

    def __init__(self, server: Server, group: str, stream: str | None) -> None:
        self.group: str = check_group(group)
        self.requests: list[Any] = []
        self.errors: list[BaseException] = []
        self.instance: str = new_instance_id(random.SystemRandom())
        self.gone: bool = False
        self._server = server
        self._only = stream
        self._rules: list[Rule] = []
        self._names: dict[bytes, Names] = {}
        self._connection: Connection | None = None
        self._asked: dict[bytes, Asking] = {}
        self._held: set[tuple[bytes, bytes]] = set()
        with server.lock:
            server.peers.append(self)
            if stream is not None:
                self.appear(stream.encode())
            for key in list(server.streams()):
                self.appear(key)
            server.flush()

    # calls of a test

    def answers(self, what: Any, *, after: float = 0.0, event: str | None = None) -> Peer:
        """Fulfil requests with ``what``. If it is a function, fulfil them with what it returns for their content.

        The function runs on a thread of its own, in real time. It may be ``async def``. If it raises, the request is rejected
        as by an endpoint: ``Reject`` with its content, every other exception as ``handler_failed``. ``after`` is a delay in
        seconds. ``event``: only for requests that trigger this event of a channel; the function then gets the params. If
        several calls fit a request, the last one counts.
        """
        return self._told(Rule("answer", what, after, event))

    def rejects(self, reason: Any, *, after: float = 0.0, event: str | None = None) -> Peer:
        """Reject requests with ``reason``. The other arguments are those of ``answers``."""
        return self._told(Rule("reject", reason, after, event))

    def never(self, *, event: str | None = None) -> Peer:
        """Take requests and never answer."""
        return self._told(Rule("never", None, 0.0, event))

    def ask(self, content: Any, to: str, *, stream: str | None = None, timeout: float = 5.0) -> Future[Response]:
        """Ask the group ``to``, and return a future of the ``Response``. After ``timeout`` seconds it is a rejected one.

        ``stream`` is necessary only if the hub has several streams.
        """
        text = self._encode(content)
        future: Future[Response] = Future()
        with self._server.lock:
            names = self._on(stream)
            id = new_request_id(random.SystemRandom()).encode()
            entry_id = self._send(names, id, text, to)
            now = self._server.clock.now()
            self._asked[id] = Asking(future, entry_id, now)
            self._server.timers.at((self, id), now + timeout, lambda: self._give_up(names, id, to, timeout))
            self._server.flush()
        return future

    def leave(self) -> None:
        """Leave all streams properly."""
        with self._server.lock:
            for names in self._names.values():
                self._deregister(names)
            self.gone = True
            if self._connection is not None:
                self._connection.end()
            if self in self._server.peers:
                self._server.peers.remove(self)
            self._server.flush()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.group!r}, {len(self.requests)} requests>"

    # calls of the hub, which holds its lock

    def appear(self, stream: bytes) -> None:
        """Join a stream that was created, perhaps again."""
        if self._only is None or self._only.encode() == stream:
            names = Names(stream, self.group.encode(), self.instance.encode())
            known = stream in self._names
            self._names[stream] = names
            if self._run("XGROUP", "CREATE", stream, names.group, "$", "MKSTREAM") == b"OK" or not known:
                self._join(names)

    def revive(self) -> None:
        """Join again: the server is up again."""
        for names in self._names.values():
            self._look(names)

    def added(self, stream: bytes, entry: Entry | None) -> None:
        """Handle an entry that was stored, after the command has ended."""
        names = self._names.get(stream)
        if names is not None and not self.gone:
            self._server.errands.append(lambda: self._look(names))

    def deleted(self, stream: bytes, entry_id: bytes) -> None:
        """Forget an entry that was deleted, and that this peer holds and never answers."""
        if (stream, entry_id) in self._held:
            self._held.discard((stream, entry_id))
            names = self._names[stream]
            self._server.errands.append(lambda: self._settle(names, entry_id))

    # ways on the wire; the gem's stand-in replaces them

    def _join(self, names: Names) -> None:
        self._run("XGROUP", "CREATECONSUMER", names.stream, names.group, names.consumer)
        self._run("LREM", names.registration, 0, names.consumer)
        self._run("LPUSH", names.registration, names.consumer)

    def _deregister(self, names: Names) -> None:
        self._run("LREM", names.registration, 0, names.consumer)
        self._run("XGROUP", "DELCONSUMER", names.stream, names.group, names.consumer)

    def _look(self, names: Names) -> None:
        read = self._run(
            "XREADGROUP", "GROUP", names.group, names.consumer, "COUNT", 100, "STREAMS", names.stream, b">"
        )
        if type(read) is not list:
            return
        for entry_id, fields in read[0][1]:
            entry = parse(entry_id, fields)
            if not isinstance(entry, Entry) or entry.destination_group != names.group:
                self._run("XACK", names.stream, names.group, entry_id)
            elif entry.status == PENDING:
                self._serve(names, entry)
            elif entry.id in self._asked and entry.instance_id == names.instance:
                self._settle(names, entry_id, True)
                self._heard(entry)
            else:
                self._run("XACK", names.stream, names.group, entry_id)

    def _send(self, names: Names, id: bytes, text: bytes, to: str) -> bytes:
        fields = build(id, names.instance, PENDING, text, names.group, to.encode())
        stored: bytes = self._run("XADD", names.stream, "NOMKSTREAM", "*", *fields)
        return stored

    def _withdraw(self, names: Names, entry_id: bytes) -> None:
        self._run("XDEL", names.stream, entry_id)

    def _write(self, names: Names, entry: Entry, status: bytes, text: bytes) -> None:
        fields = build(entry.id, entry.instance_id, status, text, names.group, entry.source_group)
        self._run("MULTI")
        self._run("XADD", names.stream, "NOMKSTREAM", "*", *fields)
        self._settle(names, entry.entry_id, True)
        self._run("EXEC")

    def _raised(self, names: Names, entry: Entry, error: Exception) -> None:
        id = entry.id.decode("utf-8", "replace")
        if isinstance(error, Reject):
            text = encode(error.content)
        elif isinstance(error, ContentError):
            text = encode(reason(ReasonCode.NOT_ENCODABLE, text_of(error)))
        else:
            text = encode(crash(error, text_of(error), id, "type"))
        self._answer(names, entry, b"rejected", text)

    def _never(self, names: Names, entry: Entry) -> None:
        self._held.add((names.stream, entry.entry_id))

    def _encode(self, content: Any) -> bytes:
        return encode(content)

    # parts

    def _told(self, rule: Rule) -> Peer:
        check_grace("after", rule.after)
        if rule.event is not None:
            check_name("event", rule.event)
        if callable(rule.what):
            check_function("answers", rule.what, "the content")
        else:
            encode(rule.what)
        self._rules.insert(0, rule)
        return self

    def _on(self, stream: str | None) -> Names:
        names = [one for key, one in self._names.items() if stream is None or stream.encode() == key]
        if len(names) != 1:
            there = ", ".join(sorted(key.decode("utf-8", "replace") for key in self._names)) or "none"
            raise ConfigurationError(f"{self!r} must ask on one stream: give stream=; its streams are {there}")
        return names[0]

    def _run(self, *command: Any) -> Any:
        """Execute a command over the peer's own connection. An error if there is none."""
        server = self._server
        if not server.up or self.gone:
            return Failure("LOST", "LOST the hub is down")
        if self._connection is None or not self._connection.open:
            name = f"redisipc:{self.group}:{self.instance}:{self.kind}"
            self._connection = server.connect(name, lambda data: None, lambda reason: None)
            self._connection.client = Client()
        plain = tuple(part.encode() if type(part) is str and number else part for number, part in enumerate(command))
        return server.execute(self._connection, plain)

    def _settle(self, names: Names, entry_id: bytes, delete: bool = False) -> None:
        self._run("XACK", names.stream, names.group, entry_id)
        if delete:
            self._run("XDEL", names.stream, entry_id)

    def _serve(self, names: Names, entry: Entry) -> None:
        content = decode(entry.content)
        self.requests.append(content)
        rule, given = self._rule_for(content)
        if rule is None or rule.how == "never":
            self._never(names, entry)
        elif rule.how == "answer" and callable(rule.what):
            self._server.busy += 1
            work = (names, entry, rule.what, given, rule.after)
            threading.Thread(
                target=self._work, args=work, name=f"redisipc-{self.kind}-{self.group}", daemon=True
            ).start()
        else:
            status = b"fulfilled" if rule.how == "answer" else b"rejected"
            text = self._encode(rule.what)
            self._later(rule.after, lambda: self._answer(names, entry, status, text), entry)

    def _rule_for(self, content: Any) -> tuple[Rule | None, Any]:
        event = content.get("event") if isinstance(content, dict) else None
        for rule in self._rules:
            if rule.event is None:
                return rule, content
            if rule.event == event:
                return rule, content.get("params")
        return None, content

    def _work(self, names: Names, entry: Entry, function: Callable[[Any], Any], given: Any, after: float) -> None:
        """On a thread of its own: the function may wait, and may use the hub."""
        error: Exception | None = None
        text = b""
        try:
            text = self._encode(asyncio.run(function(given)) if is_async(function) else function(given))
        except Exception as raised:
            error = raised
            self.errors.append(raised)
        with self._server.lock:
            self._server.busy -= 1
            if error is not None:
                failed = error
                self._later(after, lambda: self._raised(names, entry, failed), entry)
            else:
                self._later(after, lambda: self._answer(names, entry, b"fulfilled", text), entry)
            self._server.flush()

    def _later(self, after: float, work: Callable[[], None], entry: Entry) -> None:
        if after > 0:

            def due() -> None:
                work()
                self._server.flush()

            self._server.timers.at((self, entry.entry_id), self._server.clock.now() + after, due)
        else:
            work()

    def _answer(self, names: Names, entry: Entry, status: bytes, text: bytes) -> None:
        if not self.gone:
            self._write(names, entry, status, text)

    def _heard(self, entry: Entry) -> None:
        asking = self._asked.pop(entry.id)
        self._server.timers.cancel((self, entry.id))
        elapsed = self._server.clock.now() - asking.sent_at
        about = {"request_id": entry.id.decode(), "group": entry.source_group.decode(), "elapsed": elapsed}
        status = "fulfilled" if entry.status == b"fulfilled" else "rejected"
        asking.future.set_result(Response(status, decode(entry.content), about))  # type: ignore[arg-type]

    def _give_up(self, names: Names, id: bytes, to: str, timeout: float) -> None:
        asking = self._asked.pop(id, None)
        if asking is None:
            return
        if asking.entry_id:
            self._withdraw(names, asking.entry_id)
        self._server.flush()
        error = RequestTimeout(f"no answer from group {to!r} within {timeout:g} s", request_id=id.decode(), group=to)
        asking.future.set_result(Response("rejected", error, {"request_id": id.decode(), "elapsed": timeout}))
