"""A worker on asyncio: ``python -m chaos.workers.aio CONFIG``."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from typing import Any

import redis.asyncio
import redis.asyncio.cluster
import redis.asyncio.sentinel

from redisipc.asyncio import AlreadyAnswered, NotConnected, RedisIPCError, Reject, Request, Stream

from .asking import Ask, Asking
from .ending import Endings
from .processor import TICK
from .rows import Rows
from .stalls import STALL, Stalls
from .start import begin, client_of, listen, say
from .using import Sampler


class Worker:
    def __init__(self, config: dict[str, Any], rows: Rows) -> None:
        self.config, self.rows = config, rows
        self.asking, self.endings = Asking(config), Endings(rows)
        self.stop, self.quiet = asyncio.Event(), asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.runs = itertools.count(1)
        self.stream = Stream(
            config["stream"], config["group"], concurrency=config["concurrency"], **client_of(config, redis.asyncio)
        )
        self.stream.on_request(self.handle)
        self.stream.on_error(lambda error: rows("told", error.kind, str(error)[:300]))
        self.joined = False

    # answering

    async def handle(self, request: Request) -> Any:
        content, run = request.content, next(self.runs)
        number, kind, seconds = content["n"], content["k"], content["d"]
        self.rows("run", number, run, request.starts, request.entry.entry_id.decode(), request.id)
        answer = {"n": number, "p": self.config["process"], "r": run}
        if "pad" in content:
            answer["pad"] = content["pad"]
        if kind == "later":
            request.later()
            asyncio.get_running_loop().call_later(seconds, self.answer_later, request, answer)
            return None
        if kind == "ignore":
            self.rows("end", number, run)
            request.ignore()
            return None
        if kind == "nested":
            await self.wait_for(self.asking.make(self.config["nested_to"], "quick", 0.0, 3.0))
        elif kind == "busy":
            end = time.thread_time() + seconds
            while time.thread_time() < end:
                sum(range(200))
        elif kind != "cancel" and seconds:
            await asyncio.sleep(seconds)
        self.rows("end", number, run)
        if kind == "reject":
            raise Reject(answer)
        if kind == "raise":
            raise RuntimeError(f"boom {number}")
        return answer

    def answer_later(self, request: Request, answer: dict[str, Any]) -> None:
        self.rows("end", answer["n"], answer["r"])
        try:
            request.fulfill(answer)
        except (NotConnected, AlreadyAnswered) as error:
            self.rows("note", f"an answer that came later was refused: {error}")

    # asking

    async def wait_for(self, ask: Ask) -> None:
        self.rows("send", ask.number, ask.to, ask.timeout, ask.kind, round(ask.seconds, 4))
        try:
            if ask.number % 2:
                value = await self.stream.request(ask.content, to=ask.to, timeout=ask.timeout)
            else:
                value = (await self.stream.send_to_group(ask.content, to=ask.to, timeout=ask.timeout)).result()
        except asyncio.CancelledError:
            self.endings.cancelled(ask.number)
            raise
        except RedisIPCError as error:
            self.endings.error(ask.number, error)
        else:
            self.endings.value(ask.number, value)

    def give_up(self, ask: Ask, task: asyncio.Task[None]) -> None:
        self.rows("cancel", ask.number)
        task.cancel()

    async def ask(self) -> None:
        """Asks at random moments, at the configured rate, until the harness says ``quiet``."""
        loop = asyncio.get_running_loop()
        due = time.monotonic()
        while not (self.stop.is_set() or self.quiet.is_set()):
            due = self.asking.due(due)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            for _ in range(self.asking.together()):
                ask = self.asking.draw()
                task = asyncio.create_task(self.wait_for(ask))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
                if ask.kind == "cancel":
                    loop.call_later(ask.seconds, self.give_up, ask, task)

    # its life

    async def beat(self) -> None:
        """Notices when the event loop stood still."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            if now - last > TICK + STALL:
                self.rows("still", round(last + TICK, 4), "loop")
            last = now

    async def connect(self) -> bool:
        while not self.stop.is_set():
            try:
                await self.stream.connect()
            except RedisIPCError as error:
                self.rows("told", "connect", str(error)[:300])
                await asyncio.sleep(0.2)
            else:
                self.joined = True
                self.rows("up", self.stream.instance)
                say("up")
                return True
        return False

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop.set)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        listen(lambda: loop.call_soon_threadsafe(self.quiet.set), self.asking.hush)
        stalls = Stalls(self.rows, lambda: self.stream.connected if self.joined else None)
        stalls.start()
        if self.config["sample"]:
            Sampler(self.rows, self.config["sample"], lambda: self.stream.outstanding).start()
        beat = asyncio.create_task(self.beat())
        if await self.connect():
            if self.config["rate"]:
                await self.ask()
            await self.stop.wait()
            self.joined = False
            stalls.end()
        self.rows("closing")
        await self.stream.disconnect()
        self.rows("closed")
        if self.tasks:
            # The requests have their outcomes now, and write them to the history.
            await asyncio.wait(list(self.tasks), timeout=1.0)
        beat.cancel()


if __name__ == "__main__":
    config, rows = begin("asyncio")

    async def main() -> None:
        await Worker(config, rows).run()

    asyncio.run(main())
