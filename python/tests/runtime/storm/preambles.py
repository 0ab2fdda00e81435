"""How each storm begins, for each face."""

from __future__ import annotations

import textwrap

COMMON = """
import random, signal, sys, time
name, url, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
random.seed(seed)
# A job in the background inherits that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
calls = interrupted = 0

def soon():
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0001, 0.003))

def over():
    signal.setitimer(signal.ITIMER_REAL, 0)

def went_on():
    over()
    print("went on", interrupted, calls)
"""
THREADS = """
import threading
from redisipc import *
me = Stream(name, "me", url=url, timeout=5)
me.on_request(lambda request: request.content)
me.connect()
"""
ASYNCIO = """
import asyncio
from redisipc.asyncio import *
me = Stream(name, "me", url=url, timeout=5)
me.on_request(lambda request: request.content)
loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda _loop, _context: None)
loop.run_until_complete(me.connect())
"""


def threads(text: str, constants: str = "") -> str:
    return COMMON + THREADS + constants + textwrap.dedent(text)


def of_asyncio(text: str, constants: str = "") -> str:
    return COMMON + ASYNCIO + constants + textwrap.dedent(text)
