"""redisipc as an implementation under test: the testee protocol 1.0 over the public API, for either runtime.

Methods are coroutines; with threads none of them ever waits, so that one ``send(None)`` runs it, each in its thread.
A handler waits until the runner says what it does.
"""

import argparse
import asyncio
import concurrent.futures
import contextlib
import inspect
import itertools
import json
import os
import sys
import threading
import time

import redisipc
import redisipc.asyncio

PROFILES = ["base", "group", "channel", "resilient"]
FEATURES = [
    "cancel",
    "cancellation",
    "wakeup",
    "announce",
    "redelivery",
    "required-params",
    "early-end",
    *(["fork"] if hasattr(os, "fork") else []),
    "block",
    "postpone",
    "disconnect-limit",
    "raise-cancelled",
]
lock, handles = threading.Lock(), itertools.count(1)


def write(**message):
    with lock:
        print(json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False), flush=True)


def notify(method, endpoint, **params):
    write(method=method, params={"endpoint": endpoint, **params})


async def ready(value):
    return await value if inspect.isawaitable(value) else value


class Asker:
    """Callers alone: profile ask."""

    title, leave = "redisipc callers", "close"

    def __init__(self, face, is_async):
        self.face, self.is_async = face, is_async
        self.endpoints, self.requests, self.calls = {}, {}, {}

    async def do_hello(self, protocol):
        name = f"{self.title} ({'asyncio' if self.is_async else 'threads'})"
        about = {"protocol": "1.0", "name": name, "version": redisipc.__version__, "language": "python"}
        return {**about, "spec": ["1.0"], **self.claims()}

    def claims(self):
        # A thread that waits in a call cannot be cancelled.
        return {"profiles": ["ask"], "features": ["early-end", *(["cancel"] if self.is_async else [])]}

    async def do_connect(self, endpoint, url, stream, options=None):
        caller = self.endpoints[endpoint] = self.face.Caller(stream, url=url, **(options or {}))
        return {"instance": caller.instance}

    async def do_send(self, endpoint, to, content, timeout=None, call=None):
        request = self.endpoints[endpoint].request
        if call and self.is_async:
            return await self.ask(call, lambda *about: asyncio.create_task(request(*about)), content, to, timeout)
        return await self.ask(None, self.endpoints[endpoint].send_to_group, content, to, timeout)

    async def ask(self, call, function, *arguments):
        if call:
            # Known before the request is written: from then on it may be cancelled, and each message has a thread of its own.
            known = self.calls[call] = concurrent.futures.Future()
        try:
            sent = function(*arguments)
            if call:
                known.set_result(sent)
                return {"outcome": "fulfilled", "content": await sent if self.is_async else sent.result()}
            return {"outcome": "fulfilled", "content": (await ready(sent)).result()}
        except redisipc.Rejected as error:
            return {"outcome": "rejected", "content": error.content}
        except redisipc.NoResponders:
            return {"outcome": "no-responders", "content": None}
        except redisipc.RequestTimeout:
            return {"outcome": "timeout", "content": None}
        except (redisipc.RequestCancelled, concurrent.futures.CancelledError, asyncio.CancelledError):
            return {"outcome": "cancelled", "content": None}

    async def do_cancel(self, endpoint, call):
        self.calls.pop(call).result(5).cancel()
        return {}

    async def do_disconnect(self, endpoint):
        await ready(getattr(self.endpoints.pop(endpoint), self.leave)())
        return {}

    async def do_shutdown(self):
        for endpoint in list(self.endpoints):
            await self.do_disconnect(endpoint)
        return {}

    async def handle(self, message):
        name, params = message.get("method"), message.get("params") or {}
        method = getattr(self, f"do_{name}", None)
        try:
            inspect.signature(method).bind(**params)
        except TypeError as error:
            answer = {"error": {"code": -32602 if method else -32601, "message": str(error)}}
        else:
            try:
                answer = {"result": await method(**params)}
            except Exception as error:
                answer = {"error": {"code": -32000, "message": f"{type(error).__name__}: {error}"}}
        write(id=message.get("id"), **answer)
        if name == "shutdown":
            os._exit(0)


class Testee(Asker):
    """Endpoints with a group: all other profiles."""

    title, leave = "redisipc", "disconnect"

    def claims(self):
        return {"profiles": PROFILES, "features": FEATURES}

    async def do_connect(self, endpoint, url, stream, group, options=None, events=None):
        options = {"max_queue" if name == "queue" else name: value for name, value in (options or {}).items()}
        if events is None:
            target = self.face.Stream(stream, group)
            target.on_request(self.handler(lambda request: self.received(endpoint, request)))
        else:
            methods = {f"event_{n}": self.method(endpoint, **event) for n, event in enumerate(events)}
            target = type("TesteeChannel", (self.face.Channel,), {"stream": stream, "channel": group, **methods})
        target.on_error(lambda error: self.report(endpoint, error))
        await ready(target.connect(url=url, **options))
        self.endpoints[endpoint] = target
        return {"instance": target.instance}

    def method(self, endpoint, event, params, required=()):
        run = self.handler(lambda self_: self.received(endpoint, self_.entry, event=event, params=self_.params))
        named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in required]
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        run.__signature__ = inspect.Signature([own, *named])
        return self.face.event(event, params)(run)

    async def do_send(self, endpoint, to, content, timeout=None, call=None):
        stream = self.endpoints[endpoint]
        return await self.ask(call, stream.submit if call else stream.send_to_group, content, to, timeout)

    async def do_trigger(self, endpoint, event, target, params=None, timeout=None, call=None):
        channel = self.endpoints[endpoint]
        function = channel.submit_event if call else channel.trigger_event
        return await self.ask(call, function, event, target, params, timeout)

    async def do_fork(self, endpoint, to):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            # With asyncio the loop is the parent's: what is refused is refused in the first step.
            try:
                sent = self.endpoints[endpoint].submit(None, to)
                if self.is_async:
                    sent.send(None)
            except BaseException as error:
                os.write(writer, f"{type(error).__name__}: {error}".encode())
            os._exit(0)
        os.close(writer)
        with open(reader, encoding="utf-8") as pipe:
            refusal = await asyncio.to_thread(pipe.read) if self.is_async else pipe.read()
        os.waitpid(child, 0)
        if refusal:
            raise RuntimeError(refusal)
        return {}

    def answering(verb):
        async def answer(self, endpoint, request, **content):
            entry, end, is_event = self.requests[request]
            if is_event and verb == "fulfill":
                # An event answers with what it returns (RIPC-CHAN-9); a second answer is refused here.
                return end.set_result(content["content"]) or {}
            if is_event and verb == "reject":
                return end.set_exception(redisipc.Reject(content["content"])) or {}
            getattr(entry, verb)(**content)
            return {} if end.done() else (end.set_result(None) or {})

        return answer

    do_fulfill, do_reject, do_ignore = answering("fulfill"), answering("reject"), answering("ignore")

    async def do_block(self, endpoint, request, seconds):
        # With threads the handler blocks its thread already: it waits for its decision there.
        if self.is_async:
            asyncio.get_running_loop().call_later(0.05, time.sleep, seconds)
        return {}

    async def do_postpone(self, endpoint, request, message=None):
        entry, end, _ = self.requests[request]
        entry.later()
        if message is None:
            end.set_result(None)
        else:
            end.set_exception(RuntimeError(message))
        return {}

    async def do_raise(self, endpoint, request, message, cancelled=False):
        stopped = asyncio.CancelledError if self.is_async else concurrent.futures.CancelledError
        self.requests[request][1].set_exception((stopped if cancelled else RuntimeError)(message))
        return {}

    async def do_disconnect(self, endpoint, limit=None):
        await ready(self.endpoints.pop(endpoint).disconnect(limit))
        return {}

    def received(self, endpoint, request, **about):
        handle = f"r{next(handles)}"
        end = asyncio.Future() if self.is_async else concurrent.futures.Future()
        self.requests[handle] = (request, end, "event" in about)
        request.on_cancel(lambda: notify("cancelled", endpoint, request=handle))
        about |= {"id": request.id, "source": request.source_group, "instance": request.instance_id}
        notify("received", endpoint, request=handle, content=request.content, redelivered=request.redelivered, **about)
        return end

    def handler(self, begin):
        async def wait(subject, **params):
            return await begin(subject)

        return wait if self.is_async else lambda subject, **params: begin(subject).result()

    def report(self, endpoint, error):
        fields = {n.decode("utf-8", "replace"): v.decode("utf-8", "replace") for n, v in getattr(error, "fields", ())}
        notify("error", endpoint, kind=error.kind, message=str(error), **({"fields": fields} if fields else {}))


def run(testee, line):
    with contextlib.suppress(StopIteration):
        testee.handle(json.loads(line)).send(None)


async def serve(testee):
    loop, tasks = asyncio.get_running_loop(), set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        tasks.add(asyncio.create_task(testee.handle(json.loads(line))))
    os._exit(0)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--runtime", choices=["threads", "asyncio"], default="threads")
parser.add_argument("--ask", action="store_true", help="play callers, which have no group: the profile ask")
given = parser.parse_args()
# The protocol is UTF-8, whatever the locale says.
sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8")
kind = Asker if given.ask else Testee
if given.runtime == "asyncio":
    asyncio.run(serve(kind(redisipc.asyncio, True)))
testee = kind(redisipc, False)
for line in sys.stdin:
    threading.Thread(target=run, args=(testee, line), daemon=True).start()
os._exit(0)
