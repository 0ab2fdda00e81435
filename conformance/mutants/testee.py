"""The model as an implementation under test: ``testee.py [--mutant NAME] [--delay SECONDS]`` speaks the testee protocol 1.0."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import itertools
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from model import channel
from model.caller import Caller
from model.endpoint import Endpoint
from model.mutation import mutant, switch_on
from model.options import Options
from model.request import Request
from model.send import Send

HELLO = {
    "protocol": "1.0",
    "name": "model",
    "version": "1",
    "language": "python",
    "spec": ["1.0"],
    "profiles": ["base", "ask", "group", "channel", "resilient"],
    "features": [
        "cancel",
        "cancellation",
        "wakeup",
        "announce",
        "redelivery",
        "required-params",
        "early-end",
        "fork",
        "block",
        "postpone",
        "disconnect-limit",
        "raise-cancelled",
    ],
}

DECISIONS = ("fulfill", "reject", "raise", "ignore", "postpone")


class Testee:
    """`delay`: seconds before a handler starts and before its answer, which makes a slow implementation of the model.
    `claims`: what `hello` says besides. A serial one does one thing at a time: a send, a handler, or any other call."""

    def __init__(self, delay: float = 0.0, claims: dict[str, Any] | None = None) -> None:
        self.delay = delay
        self.about = {**HELLO, **(claims or {})}
        self.turn = asyncio.Lock() if self.about.get("serial") else None
        self.endpoints: dict[str, Endpoint | Caller] = {}
        self.requests: dict[str, tuple[Request, asyncio.Future[None]]] = {}
        self.calls: dict[str, Send] = {}
        self._numbers = itertools.count(1)

    async def do_hello(self, protocol: str) -> Any:
        return self.about

    async def do_connect(
        self, endpoint: str, url: str, stream: str, group: Any = None, options: Any = None, events: Any = None
    ) -> Any:
        settings = Options.of({**({"concurrency": 1} if self.turn else {}), **(options or {})})
        if self.turn and settings.concurrency > 1:
            raise ValueError("a serial testee runs one handler at a time")
        if group is None:
            if "ask" not in self.about["profiles"]:
                raise TypeError("missing a required argument: 'group'")
            caller = self.endpoints[endpoint] = Caller(url, stream, settings)
            return {"instance": await caller.connect()}
        declared = None if events is None else {event["event"]: event["params"] for event in events}
        required = {event["event"]: event.get("required", []) for event in events or []}

        async def on_request(request: Request) -> None:
            await self._received(endpoint, request, declared, required)

        def on_report(kind: str, message: str, fields: dict[str, str]) -> None:
            notify("error", endpoint=endpoint, kind=kind, message=message, **({"fields": fields} if fields else {}))

        settings.no_handler = events == []
        target = Endpoint(url, stream, group, settings, on_request, on_report)
        instance = await target.connect()
        self.endpoints[endpoint] = target
        return {"instance": instance}

    async def _received(
        self,
        endpoint: str,
        request: Request,
        declared: dict[str, list[str]] | None,
        required: dict[str, list[str]],
    ) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        about: dict[str, Any] = {}
        if declared is not None:
            try:
                event, params = channel.event_of(declared, required, request.value)
            except channel.EventRefused as refused:
                if mutant("refused-events-fulfil"):
                    request.fulfill(str(refused))
                else:
                    request.reject(str(refused))
                return
            about = {"event": event, "params": params}
        name = f"r{next(self._numbers)}"
        decided: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.requests[name] = (request, decided)
        request.on_gone = lambda: notify("cancelled", endpoint=endpoint, request=name)
        entry = request.entry
        about |= {"id": text(entry.id), "source": text(entry.source), "instance": text(entry.instance)}
        about |= {"content": request.value, "redelivered": request.redelivered}
        notify("received", endpoint=endpoint, request=name, **about)
        if self.turn is None:
            await decided
            return
        async with self.turn:
            await decided

    async def do_send(self, endpoint: str, to: str, content: Any, timeout: Any = None, call: str | None = None) -> Any:
        return await self._send(endpoint, to, content, timeout, call)

    async def do_trigger(
        self, endpoint: str, event: Any, target: str, params: Any = None, timeout: Any = None, call: str | None = None
    ) -> Any:
        return await self._send(endpoint, target, channel.content_of(event, params, timeout), timeout, call)

    async def _send(self, endpoint: str, to: str, content: Any, timeout: Any, call: str | None) -> Any:
        def begun(send: Send) -> None:
            if call is not None:
                self.calls[call] = send

        outcome, value = await self.endpoints[endpoint].requester.send(to, content, timeout, begun)
        if outcome == "failed":
            raise RuntimeError(f"Redis refused the request: {value}")
        return {"outcome": outcome, "content": value}

    async def do_cancel(self, endpoint: str, call: str) -> Any:
        self.calls.pop(call).end("cancelled")
        return {}

    async def do_fork(self, endpoint: str, to: str) -> Any:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            # The loop is the parent's: a refusal comes in the first step.
            try:
                self._send(endpoint, to, None, None, None).send(None)
            except ValueError as error:
                os.write(writer, str(error).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, encoding="utf-8") as pipe:
            refusal = await asyncio.to_thread(pipe.read)
        os.waitpid(child, 0)
        if refusal:
            raise ValueError(refusal)
        return {}

    async def do_block(self, endpoint: str, request: str, seconds: float) -> Any:
        asyncio.get_running_loop().call_later(0.05, time.sleep, seconds)
        return {}

    async def do_fulfill(self, endpoint: str, request: str, content: Any) -> Any:
        if mutant("events-return-nothing") and request in self.requests:
            content = None
        if mutant("falsy-results-are-null"):
            content = content or None
        return self._decide(request, lambda target: target.fulfill(content))

    async def do_reject(self, endpoint: str, request: str, content: Any) -> Any:
        return self._decide(request, lambda target: target.reject(content))

    async def do_ignore(self, endpoint: str, request: str) -> Any:
        return self._decide(request, lambda target: None)

    async def do_postpone(self, endpoint: str, request: str, message: str | None = None) -> Any:
        target, decided = self.requests[request]
        target.postponed = True
        if message is None:
            decided.set_result(None)
        else:
            decided.set_exception(RuntimeError(message))
        return {}

    async def do_raise(self, endpoint: str, request: str, message: str, cancelled: bool = False) -> Any:
        _, decided = self.requests[request]
        if not decided.done():
            decided.set_exception(asyncio.CancelledError(message) if cancelled else RuntimeError(message))
        return {}

    def _decide(self, request: str, answer: Callable[[Request], None]) -> Any:
        target, decided = self.requests[request]
        answer(target)
        if not decided.done():
            decided.set_result(None)
        return {}

    async def do_disconnect(self, endpoint: str, limit: float | None = None) -> Any:
        target = self.endpoints[endpoint] if mutant("sends-after-disconnect") else self.endpoints.pop(endpoint)
        if limit is not None and isinstance(target, Endpoint) and not mutant("limit-of-one-disconnect-ignored"):
            target.options.close_timeout = limit
        await target.disconnect()
        return {}

    async def do_shutdown(self) -> Any:
        await asyncio.gather(*(self.do_disconnect(endpoint) for endpoint in list(self.endpoints)))
        return {}

    async def _call(self, name: str, method: Callable[..., Any], params: dict[str, Any]) -> Any:
        if name in DECISIONS:
            await asyncio.sleep(self.delay)
        if self.turn is None or name in DECISIONS:
            return await method(**params)
        async with self.turn:
            return await method(**params)

    async def handle(self, line: bytes) -> None:
        message = json.loads(line)
        name, params = message["method"], message.get("params") or {}
        method = getattr(self, f"do_{name}", None)
        answer: dict[str, Any]
        if method is None:
            answer = {"error": {"code": -32601, "message": f"no method {name}"}}
        else:
            try:
                inspect.signature(method).bind(**params)
                answer = {"result": await self._call(name, method, params)}
            except TypeError as error:
                answer = {"error": {"code": -32602, "message": str(error)}}
            except Exception as error:
                answer = {"error": {"code": -32000, "message": f"{type(error).__name__}: {error}"}}
        write(id=message["id"], **answer)
        if name == "shutdown":
            os._exit(0)


def text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def write(**message: Any) -> None:
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    sys.stdout.buffer.flush()


def notify(method: str, **params: Any) -> None:
    write(method=method, params=params)


async def serve(delay: float, claims: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    testee, tasks = Testee(delay, claims), set()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        task = asyncio.create_task(testee.handle(line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutant", help="a name of mutants.yaml")
    parser.add_argument(
        "--delay", type=float, default=0.0, help="seconds before each start and each answer of a handler"
    )
    parser.add_argument("--claims", default="{}", help="JSON: keys of the answer to hello that are otherwise")
    arguments = parser.parse_args()
    if arguments.mutant:
        switch_on(arguments.mutant)
    asyncio.run(serve(arguments.delay, json.loads(arguments.claims)))
