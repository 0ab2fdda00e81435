"""``Hub``: it replaces Redis while a program is tested."""

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

from .asked import Asked
from .faults import Faults
from .gem import Gem
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

    Pass it as ``client`` to any ``Stream`` or ``Caller``, for threads or asyncio. Or pass its ``url``, ``memory://name``, as
    ``url``, or set the environment variable ``REDIS_URL`` to it. Its data ends with it. ``profile`` is the version of Redis
    that it imitates; see ``redisipc.testing.redis_model.PROFILES``.
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
        """The hub of this name. The first call makes it."""
        return _named.get(name) or cls(name)

    @property
    def url(self) -> str:
        """A URL for ``REDIS_URL``, so that a program needs no change to use the hub."""
        return f"memory://{self.name}"

    # asking

    @property
    def requests(self) -> list[Asked]:
        """All requests that were stored, oldest first, each with its ``outcome``; at most the last 10,000."""
        with self.server.lock:
            return self.server.journal.requests()

    def story(self, last: int = 200) -> str:
        """The ``last`` steps, one line each: who asked, who got the request, who answered what."""
        check_count("last", last, 1)
        with self.server.lock:
            return self.server.journal.story(last)

    def residue(self, within: float = 1.0) -> list[str]:
        """List what is left in Redis, one line each: entries, and traces of instances that are no longer connected.

        It is empty if all requests were answered and collected, and all instances left properly. The call waits up to
        ``within`` seconds for work in the background. In an event loop it does not wait.
        """
        check_grace("within", within)
        return self._until_none(lambda: residue(self.server), within)

    def connected(self, within: float = 0.0) -> list[str]:
        """List who is connected, as ``group/instance``. A ``Caller`` is not in the list: several tests may share it.

        The call waits up to ``within`` seconds until nobody is connected. In an event loop it does not wait.
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
        """Move time forward by ``seconds``, for everything in this event loop: the library, ``asyncio.sleep``, this hub.

        Everything that is due in this time happens, in order. Before and after the call, time passes as usual. The call
        waits for busy threads. If something does not come to rest, ``StillWaiting`` names it.
        """
        await advance(self.server, check_grace("seconds", seconds))

    def age(self, seconds: float) -> None:
        """Make everything in Redis older by ``seconds``: claims of entries, expiries of keys, and so on.

        This is for threads. Their own clock does not change: they see a server whose clock was set forward.
        """
        check_grace("seconds", seconds)
        with self.server.lock:
            self.server.journal.note("Redis", f"is {seconds:g} s older")
            self.server.clock.aged += seconds

    # what must not matter

    def worst_case(self) -> AbstractContextManager[None]:
        """In the block everything happens that the protocol allows. Each request is delivered twice. Each response is
        handed over by another instance of its group. Each connection is cut once, after it wrote or read something.

        Tests still pass if effects of handlers are idempotent, and if the program expects failures.
        """
        return WorstCase(self.server)()

    # the other side

    def peer(self, group: str, *, stream: str | None = None) -> Peer:
        """A member of ``group`` that answers as the test says, on all streams of the hub, or on ``stream`` alone."""
        return Peer(self.server, group, stream)

    def gem(self, group: str, *, stream: str | None = None) -> Gem:
        """A peer that behaves like the Ruby gem redis_ipc 1.0.2. For example, if its function raises, it does not answer."""
        return Gem(self.server, group, stream)

    def listen(self, port: int = 0) -> str:
        """Also listen on 127.0.0.1 until ``close``, for other processes and other clients. Returns the URL."""
        check_count("port", port, 0)
        if self._listener is None:
            self._listener = Listener(self.server, port)
        return f"redis://127.0.0.1:{self._listener.port}/0"

    # its life

    def close(self) -> None:
        """End the hub: all connections break, and its name is free again."""
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
