"""A worker on threads: ``python -m chaos.workers.threads CONFIG``."""

from __future__ import annotations

import itertools
import queue
import signal
import threading
import time
from concurrent.futures import Future
from typing import Any

import redis
import redis.cluster
import redis.sentinel

from redisipc import AlreadyAnswered, NotConnected, RedisIPCError, Reject, Request, RequestFuture, Stream

from .asking import Ask, Asking
from .ending import Endings
from .rows import Rows
from .stalls import Stalls
from .start import begin, client_of, listen, say
from .using import Sampler

CALLERS = 8
"""The number of threads that ask and wait. The other requests are futures."""


class Worker:
    def __init__(self, config: dict[str, Any], rows: Rows) -> None:
        self.config, self.rows = config, rows
        self.asking, self.endings = Asking(config), Endings(rows)
        self.lock = threading.Lock()
        self.stop, self.quiet = threading.Event(), threading.Event()
        self.work: queue.SimpleQueue[Ask] = queue.SimpleQueue()
        self.waiting = 0
        self.runs = itertools.count(1)
        self.stream = Stream(
            config["stream"], config["group"], concurrency=config["concurrency"], **client_of(config, redis)
        )
        self.stream.on_request(self.handle)
        self.stream.on_error(lambda error: rows("told", error.kind, str(error)[:300]))
        self.joined = False

    # answering

    def handle(self, request: Request) -> Any:
        content, run = request.content, next(self.runs)
        number, kind, seconds = content["n"], content["k"], content["d"]
        self.rows("run", number, run, request.starts, request.entry.entry_id.decode(), request.id)
        answer = {"n": number, "p": self.config["process"], "r": run}
        if "pad" in content:
            answer["pad"] = content["pad"]
        if kind == "later":
            request.later()
            threading.Timer(seconds, self.answer_later, (request, answer)).start()
            return None
        if kind == "ignore":
            self.rows("end", number, run)
            request.ignore()
            return None
        if kind == "nested":
            self.nested()
        elif kind == "busy":
            end = time.thread_time() + seconds
            while time.thread_time() < end:
                sum(range(200))
        elif kind != "cancel" and seconds:
            time.sleep(seconds)
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

    def nested(self) -> None:
        with self.lock:
            ask = self.asking.make(self.config["nested_to"], "quick", 0.0, 3.0)
        self.wait_for(ask)

    def wait_for(self, ask: Ask) -> None:
        self.sends(ask)
        try:
            if ask.number % 2:
                self.endings.value(ask.number, self.stream.request(ask.content, to=ask.to, timeout=ask.timeout))
            else:
                response = self.stream.send_to_group(ask.content, to=ask.to, timeout=ask.timeout)
                self.endings.value(ask.number, response.result())
        except RedisIPCError as error:
            self.endings.error(ask.number, error)

    def submit(self, ask: Ask) -> None:
        self.sends(ask)
        try:
            future = self.stream.submit(ask.content, to=ask.to, timeout=ask.timeout)
        except RedisIPCError as error:
            self.endings.error(ask.number, error)
            return

        def done(future: Future[Any]) -> None:
            error = None if future.cancelled() else future.exception()
            if future.cancelled():
                self.endings.cancelled(ask.number)
            elif error is not None:
                self.endings.error(ask.number, error)
            else:
                self.endings.value(ask.number, future.result())

        future.add_done_callback(done)
        if ask.kind == "cancel":
            threading.Timer(ask.seconds, self.give_up, (ask, future)).start()

    def give_up(self, ask: Ask, future: RequestFuture) -> None:
        self.rows("cancel", ask.number)
        future.cancel()

    def sends(self, ask: Ask) -> None:
        self.rows("send", ask.number, ask.to, ask.timeout, ask.kind, round(ask.seconds, 4))

    def call(self) -> None:
        while True:
            ask = self.work.get()
            self.wait_for(ask)
            with self.lock:
                self.waiting -= 1

    def ask(self) -> None:
        """Asks at random moments, at the configured rate, until the harness says ``quiet``."""
        for _ in range(CALLERS):
            threading.Thread(target=self.call, daemon=True).start()
        due = time.monotonic()
        while not (self.stop.is_set() or self.quiet.is_set()):
            due = self.asking.due(due)
            if self.stop.wait(max(0.0, due - time.monotonic())):
                return
            for _ in range(self.asking.together()):
                self.ask_one()

    def ask_one(self) -> None:
        with self.lock:
            ask = self.asking.draw()
            waits = ask.kind != "cancel" and self.waiting < CALLERS and ask.number % 5 < 3
            self.waiting += waits
        if waits:
            self.work.put(ask)
        else:
            self.submit(ask)

    # its life

    def connect(self) -> bool:
        while not self.stop.is_set():
            try:
                self.stream.connect()
            except RedisIPCError as error:
                self.rows("told", "connect", str(error)[:300])
                self.stop.wait(0.2)
            else:
                self.joined = True
                self.rows("up", self.stream.instance)
                say("up")
                return True
        return False

    def run(self) -> None:
        # The signal handler may run while this thread holds the event's lock. So another thread waits for the signal.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=self.leave_on_signal, daemon=True, name="signals").start()
        listen(self.quiet.set, self.asking.hush)
        stalls = Stalls(self.rows, lambda: self.stream.connected if self.joined else None)
        stalls.start()
        if self.config["sample"]:
            Sampler(self.rows, self.config["sample"], lambda: self.stream.outstanding).start()
        if self.connect():
            if self.config["rate"]:
                self.ask()
            self.stop.wait()
            self.joined = False
            stalls.end()
        self.rows("closing")
        self.stream.disconnect()
        self.rows("closed")
        # The threads that asked have their outcomes now, and write them to the history.
        end = time.monotonic() + 1.0
        while self.waiting and time.monotonic() < end:
            time.sleep(0.01)

    def leave_on_signal(self) -> None:
        signal.sigwait({signal.SIGTERM})
        self.stop.set()


if __name__ == "__main__":
    Worker(*begin("threads")).run()
