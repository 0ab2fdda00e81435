"""``redisipc serve GROUP``: joins the group, answers its requests, and leaves in order on Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import select
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from redisipc.cli.exits import INTERRUPTED, OK, REDIS, Problem
from redisipc.cli.options import Given
from redisipc.cli.output import ago, clock, cut, safe, shown
from redisipc.cli.values import content, count, duration, share
from redisipc.errors import ConnectionLost, Reject

from . import answer

if TYPE_CHECKING:
    from redisipc.runtime.threads.stream import Stream


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    parser.add_argument("group", metavar="GROUP", help="the group to join; it is created if it does not exist")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--echo", action="store_true", help="answer with the content itself (default)")
    how.add_argument("--reply", type=content, metavar="JSON", help="answer with this; - reads stdin, @FILE a file")
    how.add_argument(
        "--command", dest="program", metavar="CMD", help="answer with what CMD prints; it gets the content on stdin"
    )
    add = parser.add_argument
    add("--delay", type=duration, metavar="2s", help="wait before each answer")
    add("--reject-rate", type=share, default=0.0, metavar="10%", help="reject this share of the requests")
    add("--die-after", type=count, metavar="N", help="die (as by SIGKILL) while the Nth request runs")
    add("--concurrency", type=count, default=16, metavar="N", help="handlers at once (default: 16)")
    add("--count", "-n", type=count, metavar="N", help="leave after N requests")
    add("--for", type=duration, dest="seconds", metavar="10s", help="leave after this time")
    add("--no-content", action="store_true", help="show no contents")
    add("--quiet", "-q", action="store_true", help="do not show the requests")
    parser.epilog = "It takes its share of the group's requests away from the other members, until it leaves."


class Partner:
    """The handler and its bad habits."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.over: threading.Event = threading.Event()
        self.interrupted = False
        self._numbers = iter(range(1, 1 << 62))
        self._left = 0
        self._lock = threading.Lock()
        if given.reply is not None:
            self._answer: answer.Answer = answer.reply(given.reply)
        elif given.program is not None:
            self._answer = answer.command(given.program, given.timeout)
        else:
            self._answer = answer.echo
        self._ends, self._end = socket.socketpair()
        self._end.setblocking(False)

    def leave(self) -> None:
        """It ends now. A signal handler may say so: an ``Event`` could wait there for the frame that it interrupted."""
        with contextlib.suppress(BlockingIOError):
            self._end.send(b"!")

    def wait(self, seconds: float | None) -> None:
        """Until somebody says that it ends, or for ``seconds``."""
        select.select([self._ends], [], [], seconds)
        self.over.set()

    def close(self) -> None:
        """Nobody waits any more."""
        self._ends.close()
        self._end.close()

    def handle(self, request: Any) -> Any:
        """The handler that the endpoint calls."""
        given, number, begin = self.given, next(self._numbers), time.monotonic()
        value = request.content
        if given.die_after == number:
            self._show(request, value, "died", begin)
            os.kill(os.getpid(), signal.SIGKILL)
        if given.delay:
            self.over.wait(given.delay)
        action = "rejected"
        try:
            if random.random() < given.reject_rate:
                raise Reject("rejected by --reject-rate")
            result = self._answer(value)
            action = "fulfilled"
            return result
        finally:
            self._show(request, value, action, begin)
            if number == given.args.count:
                # After the answer is on its way: leaving waits for it.
                self.leave()

    def _show(self, request: Any, value: Any, action: str, begin: float) -> None:
        given, took = self.given, time.monotonic() - begin
        if given.quiet:
            return
        out = given.out
        with self._lock:
            if out.json:
                record = {"at_ms": round(time.time() * 1000), "request_id": request.id, "source": request.source_group}
                about = {} if given.no_content else {"content": value}
                out.record({**record, **about, "action": action, "elapsed_ms": round(took * 1000, 3)})
                return
            style = {"fulfilled": "green", "rejected": "red"}.get(action, "bold red")
            head = f"{clock(time.time())} {safe(request.source_group)}"
            tail = f"  {ago(took)}"
            text = (
                ""
                if given.no_content
                else cut(f" {shown(value, 4000)}", max(20, out.width - len(head) - len(tail) - 14))
            )
            again = f"  start {request.starts}" if request.redelivered else ""
            out.line(f"{head}{text} => {out.paint(action, style)}{tail}{again}")


def run(given: Given) -> int:
    """Serve until the end."""
    # Only here: it brings redis-py along.
    from redisipc.runtime.threads.stream import Stream

    endpoint = Stream(given.stream, given.group, url=given.url_given, concurrency=given.concurrency)
    with contextlib.closing(Partner(given)) as partner:
        endpoint.on_request(partner.handle)
        return _serve(endpoint, partner, given)


def _serve(endpoint: Stream, partner: Partner, given: Given) -> int:
    before = {number: signal.signal(number, lambda *_: _end(partner, *_)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        endpoint.connect(connect_timeout=given.timeout)
    except ConnectionLost as error:
        raise Problem(REDIS, str(error)) from error
    else:
        given.out.say(
            f"serving {safe(given.group)} as {endpoint.instance} on {safe(given.stream)} at {given.client.address}"
        )
        partner.wait(given.seconds)
        endpoint.disconnect()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return INTERRUPTED if partner.interrupted else OK


def _end(partner: Partner, number: int, frame: Any) -> None:
    partner.interrupted = number == signal.SIGINT
    partner.leave()
