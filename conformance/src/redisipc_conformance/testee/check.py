"""``check-testee``: leads a new shim through the protocol, and describes each mistake in one sentence.

Nothing here is about RedisIPC: a shim that passes is one that the runner can drive, no matter how wrong its port is.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .candidate import Candidate, Ended, Reply, Silent
from .claims import ASK, CALLER, ROLES, Claims, problem
from .converse import converse, refuses_nonsense
from .converse_by_hand import answers, asks
from .errors import TesteeRefused, TesteeUnusable
from .schemas import PROTOCOL, MessageBroken, TesteeSchemas

START = 10.0
"""Seconds until ``hello`` must be answered; some languages start slowly."""
SOON = 2.0
"""Seconds for everything that needs no Redis."""


@dataclass(frozen=True)
class Finding:
    """One thing that was tried. ``sentence``: what is wrong and what to do, or why it could not be tried."""

    name: str
    title: str
    verdict: Literal["ok", "wrong", "skipped"]
    sentence: str = ""


class Wrong(Exception):
    """The error, in a sentence."""


TITLES = {
    "start": "The program starts",
    "hello": "It answers hello, at once and as the schema says",
    "unknown-method": "It refuses an unknown method with -32601",
    "invalid-params": "It refuses invalid parameters with -32602, and continues to run",
    "unknown-endpoint": "It refuses an endpoint that nobody connected",
    "not-claimed": "It refuses what it does not claim",
    "out-of-order": "It answers a call while another one is still under way",
    "end-of-input": "It ends when its input ends",
    "nonsense-option": "It refuses an option that does not exist",
    "converse": "Its endpoints converse over Redis",
    "stdout": "It writes nothing but messages to stdout",
    "shutdown": "It answers shutdown, then ends with exit status 0",
}


async def check(command: Sequence[str], url: str | None, scale: float = 1.0) -> list[Finding]:
    """Everything that was tried, in the order of ``TITLES``. ``url``: a Redis, for the parts that need one.
    ``scale`` stretches all times, as ``--time-scale`` does.

    Stops after ``start`` or ``hello`` where these are wrong: nothing else can be said then.
    """
    return await _Walk(command, url, scale).run()


def first_wrong(findings: Sequence[Finding]) -> Finding | None:
    """The first error, in one sentence."""
    return next((finding for finding in findings if finding.verdict == "wrong"), None)


class _Walk:
    def __init__(self, command: Sequence[str], url: str | None, scale: float) -> None:
        self.command = command
        self.scale = scale
        self.start, self.soon = START * scale, SOON * scale
        self.url = url
        self.schemas = TesteeSchemas.load()
        self.findings: dict[str, Finding] = {}
        self.hello: dict[str, Any] = {}

    async def run(self) -> list[Finding]:
        try:
            testee = await Candidate.start(self.command, self.schemas, self.scale)
        except TesteeUnusable as error:
            self._note("start", "wrong", f"{error}; give the command as the shell would")
            return self._all()
        self._note("start", "ok")
        try:
            if await self._try("hello", lambda: self._hello(testee)):
                apart = ["end-of-input"]
                if Claims.of(self.hello).serial:
                    self._note("out-of-order", "skipped", "it says that it is serial")
                else:
                    apart.append("out-of-order")
                await asyncio.gather(self._main(testee), *map(self._apart, apart))
        finally:
            await testee.kill()
        return self._all()

    async def _main(self, testee: Candidate) -> None:
        """Makes the trials on the first process, one after the other."""
        steps: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("unknown-method", lambda: self._unknown_method(testee)),
            ("invalid-params", lambda: self._invalid_params(testee)),
            ("unknown-endpoint", lambda: self._unknown_endpoint(testee)),
            ("not-claimed", lambda: self._not_claimed(testee)),
        ]
        if self.url is not None:
            url = self.url
            steps += [
                ("nonsense-option", lambda: refuses_nonsense(testee, self._place("odd", url))),
                ("converse", lambda: self._converse(testee, url)),
            ]
        steps.append(("shutdown", lambda: self._shutdown(testee)))
        for name, step in steps:
            await self._try(name, step)
            if testee.process.exit_status is not None:
                break
        await self._try("stdout", lambda: self._stdout(testee))

    def _place(self, endpoint: str, url: str) -> dict[str, Any]:
        """Parameters of a connect on a stream of its own, without a group where it claims nothing that has one."""
        params = {"endpoint": endpoint, "url": url, "stream": f"redisipc-check-{secrets.token_hex(4)}"}
        return params if self.hello["profiles"] == [ASK] else {**params, "group": "check"}

    async def _converse(self, testee: Candidate, url: str) -> None:
        """It talks with itself if it plays both sides at the same time, else with the runner."""
        claims = Claims.of(self.hello)
        if not claims.serial and claims.roles.issuperset(ROLES):
            await converse(testee, url, self.hello)
        else:
            if "requester" in claims.roles:
                await asks(testee, url, caller=False)
            if "responder" in claims.roles:
                await answers(testee, url)
        if CALLER in claims.roles:
            await asks(testee, url, caller=True)

    async def _apart(self, name: str) -> None:
        """Runs a trial on a process of its own."""
        step = {"out-of-order": self._out_of_order, "end-of-input": self._end_of_input}[name]
        testee = await Candidate.start(self.command, self.schemas, self.scale)
        try:
            await self._try(name, lambda: step(testee))
        finally:
            await testee.kill()

    async def _try(self, name: str, step: Callable[[], Awaitable[None]]) -> bool:
        try:
            await step()
        except (Wrong, MessageBroken, Silent, Ended, AssertionError) as error:
            self._note(name, "wrong", str(error))
            return False
        self._note(name, "ok")
        return True

    def _note(self, name: str, verdict: Literal["ok", "wrong", "skipped"], sentence: str = "") -> None:
        self.findings[name] = Finding(name, TITLES[name], verdict, sentence)

    def _all(self) -> list[Finding]:
        needs_redis = ("nonsense-option", "converse")
        for name in TITLES:
            if name not in self.findings:
                no_redis = self.url is None and name in needs_redis and first_wrong([*self.findings.values()]) is None
                self._note(name, "skipped", "needs a Redis" if no_redis else "not tried after what went wrong before")
        return [self.findings[name] for name in TITLES]

    # the steps

    async def _hello(self, testee: Candidate) -> None:
        begun = await testee.begin("hello", {"protocol": PROTOCOL})
        try:
            answer = await testee.answer(begun, "hello", self.start)
        except Silent:
            testee.process.end_of_input()
            try:
                await testee.answer(begun, "hello", self.soon)
            except (Silent, Ended):
                noise = f"; it wrote: {testee.said.noise[0]}" if testee.said.noise else ""
                raise Wrong(f"hello was not answered within {self.start:g} s{noise}{testee.last_words()}") from None
            reason = "flush stdout after each line, and read stdin line by line, not in blocks"
            raise Wrong(f"hello was answered only when stdin was closed: {reason}") from None
        if isinstance(answer, TesteeRefused):
            raise Wrong(f"hello was refused with {answer.code} {answer.message!r}; it must answer who it is")
        self.hello = answer
        wrong = problem(answer)
        if wrong:
            raise Wrong(wrong)

    async def _unknown_method(self, testee: Candidate) -> None:
        answer = await testee.call("frobnicate", {}, self.soon, checked=False)
        _refused(answer, "the unknown method frobnicate", -32601)

    async def _invalid_params(self, testee: Candidate) -> None:
        answer = await testee.call("connect", {"endpoint": "check"}, self.soon, checked=False)
        _refused(answer, "connect without url, stream and group", -32602)
        if isinstance(await testee.call("hello", {"protocol": PROTOCOL}, self.soon), TesteeRefused):
            raise Wrong("after invalid parameters even hello is refused; answer the error and continue")

    async def _unknown_endpoint(self, testee: Candidate) -> None:
        answer = await testee.call(
            "send", {"endpoint": "nobody", "to": "check", "content": 1, "timeout": 0.2}, self.soon
        )
        _refused(answer, "send of the endpoint nobody, which was never connected")
        answer = await testee.call("fulfill", {"endpoint": "nobody", "request": "r0", "content": 1}, self.soon)
        _refused(answer, "fulfill of a request that was never received")

    async def _not_claimed(self, testee: Candidate) -> None:
        if "cancel" not in self.hello["features"]:
            answer = await testee.call("cancel", {"endpoint": "nobody", "call": "s0"}, self.soon)
            _refused(answer, "cancel, a feature that hello does not claim,")
        if "channel" not in self.hello["profiles"]:
            answer = await testee.call("trigger", {"endpoint": "nobody", "event": "x", "target": "check"}, self.soon)
            _refused(answer, "trigger, of the profile channel that hello does not claim,")
        if ASK not in self.hello["profiles"]:
            params = {"endpoint": "caller", "url": "redis://127.0.0.1:1/0", "stream": "check"}
            answer = await testee.call("connect", params, self.soon)
            _refused(answer, "connect without a group, of the profile ask that hello does not claim,")

    async def _out_of_order(self, testee: Candidate) -> None:
        """A server that never answers keeps ``connect`` under way."""
        silent: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(lambda _reader, writer: silent.append(writer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        params = self._place("slow", f"redis://127.0.0.1:{port}/0")
        try:
            await testee.call("hello", {"protocol": PROTOCOL}, self.start)
            await testee.begin("connect", params)
            await testee.call("hello", {"protocol": PROTOCOL}, self.soon)
        except Silent:
            hint = "handle each call in a thread or task of its own, and continue to read"
            raise Wrong(f"while connect waited for a slow Redis, hello was not answered: {hint}") from None
        finally:
            server.close()
            for writer in silent:
                writer.close()

    async def _end_of_input(self, testee: Candidate) -> None:
        await testee.call("hello", {"protocol": PROTOCOL}, self.start)
        if self.url is not None:
            await testee.call("connect", self._place("eof", self.url), 2 * self.soon)
        testee.process.end_of_input()
        if await testee.process.exited(self.soon) is None:
            threads = (
                "" if self.url is None else ", even with endpoints connected: exit the process, do not just return"
            )
            raise Wrong(f"it still ran {self.soon:g} s after stdin was closed; end at the end of input{threads}")

    async def _stdout(self, testee: Candidate) -> None:
        if testee.said.noise:
            raise Wrong(f"stdout is for messages alone, logs go to stderr: {testee.said.noise[0]}")
        if testee.said.strays:
            raise Wrong(f"it wrote {testee.said.strays[0]}; answer each call once, with its id")

    async def _shutdown(self, testee: Candidate) -> None:
        answer = await testee.call("shutdown", {}, 2 * self.soon)
        if isinstance(answer, TesteeRefused):
            raise Wrong(f"shutdown was refused with {answer.code} {answer.message!r}")
        status = await testee.process.exited(self.soon)
        if status is None:
            raise Wrong(f"it still ran {self.soon:g} s after it answered shutdown; exit the process after the answer")
        if status != 0:
            raise Wrong(f"it ended with exit status {status} after shutdown, 0 was expected{testee.last_words()}")


def _refused(answer: Reply, what: str, code: int | None = None) -> None:
    if not isinstance(answer, TesteeRefused):
        wanted = f"with the error {code}" if code is not None else "with an error"
        raise Wrong(f"{what} was answered with {answer!r}; it must be refused {wanted}")
    if code is not None and answer.code != code:
        raise Wrong(f"{what} was refused with {answer.code} {answer.message!r}; the code must be {code}")
