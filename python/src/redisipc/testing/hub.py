"""``Hub``: what stands in the place of Redis while a program is tested."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

from redisipc.calls import explained
from redisipc.errors import ConfigurationError
from redisipc.protocol.settings import check_count, check_grace

from .faults import Faults
from .gem import Gem
from .journal import Asked
from .peer import Peer
from .redis_model import REDIS_7, Profile
from .residue import connected, residue
from .server import Server
from .sockets import MemorySocket
from .tcp import Listener
from .transports import MemoryWriter
from .virtual import advance, is_ahead, take_over
from .worst import WorstCase

_named: dict[str, Hub] = {}
_unnamed = itertools.count(1)


@explained
class Hub(Faults):
    """A Redis in the memory of this process, over which the real library runs.

    Give it as ``client`` to any ``Stream`` or ``Caller``, for threads or asyncio; or let ``url`` or the environment's
    ``REDIS_URL`` be its ``url``, ``memory://name``. All that is on it is gone with it. ``profile`` is the version of Redis
    whose ways it has; see ``redisipc.testing.redis_model.PROFILES``.
    """

    def __init__(self, name: str = "", profile: Profile = REDIS_7) -> None:
        if not isinstance(name, str) or not isinstance(profile, Profile):
            raise ConfigurationError(
                f'a hub takes a name, a string, and a Profile: Hub("shop", REDIS_7); got {name!r} and {profile!r}'
            )
        self.name: str = name or f"hub-{next(_unnamed)}"
        if self.name in _named:
            raise ConfigurationError(f"there is a hub {self.name!r} already; Hub.named() gives it, close() ends it")
        self.server: Server = Server(profile)
        self._process = os.getpid()
        self._listener: Listener | None = None
        _named[self.name] = self

    @classmethod
    def named(cls, name: str) -> Hub:
        """The hub of this name; it is made when it is first asked for."""
        return _named.get(name) or cls(name)

    @property
    def url(self) -> str:
        """A value for ``REDIS_URL``, for programs that do not know the hub."""
        return f"memory://{self.name}"

    # asking

    @property
    def requests(self) -> list[Asked]:
        """All requests that were stored, oldest first, each with its ``outcome``; at most the last 10,000."""
        with self.server.lock:
            return self.server.journal.requests()

    def story(self, last: int = 200) -> str:
        """The ``last`` steps that happened, a line for each: who asked, who got the request, who answered what."""
        check_count("last", last, 1)
        with self.server.lock:
            return self.server.journal.story(last)

    def residue(self, within: float = 1.0) -> list[str]:
        """Lists what is left in Redis, a line for each: entries, and traces of instances that are no longer connected.

        Empty when all requests were answered and collected, and all instances left in order. Work in the background
        gets up to ``within`` seconds; in an event loop, which must not wait, it gets no time.
        """
        check_grace("within", within)
        return self._until_none(lambda: residue(self.server), within)

    def connected(self, within: float = 0.0) -> list[str]:
        """Lists who is connected, as ``group/instance``. A ``Caller`` is not listed: it may serve several tests.

        Waits up to ``within`` seconds until nobody is, except in an event loop.
        """
        check_grace("within", within)
        return self._until_none(lambda: connected(self.server), within)

    def _until_none(self, look: Callable[[], list[str]], within: float) -> list[str]:
        end = time.monotonic() + (0 if asyncio._get_running_loop() else within)
        while True:
            with self.server.lock:
                self.server.forget_the_gone()
                found = look()
            if not found or time.monotonic() >= end:
                return found
            time.sleep(0.005)

    # time

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` go by at once, for all that runs in this event loop: the library, ``asyncio.sleep``, this hub.

        Everything that is due on the way happens in order. Before the call and after it, time passes by
        itself. The call waits for threads that work; ``StillWaiting`` names who does not come to rest.
        """
        await advance(self.server, check_grace("seconds", seconds))

    def age(self, seconds: float) -> None:
        """Let everything in Redis be older by ``seconds``: how long ago entries were claimed, keys were set, and so on.

        For threads, whose own clocks continue as they do. They see a server whose clock was set forward.
        """
        check_grace("seconds", seconds)
        with self.server.lock:
            self.server.journal.note("Redis", f"is {seconds:g} s older")
            self.server.clock.aged += seconds

    # what must not matter

    def worst_case(self) -> AbstractContextManager[None]:
        """Within the block all happens that may happen. Each request is delivered twice. Each response is handed over
        by another instance of its group. Each connection is cut once, after it wrote or read something.

        Handlers whose effects are idempotent, and programs that take failures as they come, do not mind.
        """
        return WorstCase(self.server)()

    # the other side

    def peer(self, group: str, *, stream: str | None = None) -> Peer:
        """A member of ``group`` that says what the test tells it, on all streams of the hub, or on ``stream`` alone."""
        return Peer(self.server, group, stream)

    def gem(self, group: str, *, stream: str | None = None) -> Gem:
        """The same with the ways of the Ruby gem redis_ipc 1.0.2: a function that raises leaves the request unanswered."""
        return Gem(self.server, group, stream)

    def listen(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 as well, for other processes and other clients; the URL. Until ``close``."""
        check_count("port", port, 0)
        if self._listener is None:
            self._listener = Listener(self.server, port)
        return f"redis://127.0.0.1:{self._listener.port}/0"

    # its life

    def close(self) -> None:
        """It is down for ever: all connections break, and its name is free."""
        with self.server.lock:
            self.server.up = False
            self.server.break_all("the hub was closed")
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        if _named.get(self.name) is self:
            del _named[self.name]

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Hub {self.url}>"

    # for the library

    def redisipc_socket(self, name: str) -> Any:
        """A connection for threads. Raises OSError."""
        self._check()
        return MemorySocket(self.server, name)

    def redisipc_writer(self, name: str) -> Any:
        """A connection for the running event loop. Raises OSError."""
        self._check()
        if is_ahead():
            take_over()
        return MemoryWriter(self.server, name)

    def _check(self) -> None:
        if os.getpid() != self._process:
            raise ConnectionRefusedError(
                f"{self!r} is in the memory of the process that made it; a child needs a Redis, or a hub of its own"
            )


def hub_at(url: str) -> Hub:
    """The hub that a ``memory://name`` URL means."""
    parts = urlsplit(url)
    return Hub.named(parts.netloc or parts.path.strip("/") or "default")
