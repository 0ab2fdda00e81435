"""Connections for threads: redis-py opens them, then the socket is ours and never blocks.

And the poller that watches all.
"""

from __future__ import annotations

import contextlib
import select
import selectors
import socket
import ssl
import threading
from collections import deque
from typing import Any

import redis
from redis.retry import Retry

from redisipc.runtime.client import (
    HANDSHAKE_LIMIT,
    check_client,
    check_slot,
    connection_kwargs,
    make_client,
    set_name,
    within,
)
from redisipc.runtime.lane import Lane

READ_SIZE = 65536
"""Bytes read at once; more costs page faults, less costs calls."""


class Target:
    """Where connections go to, from a URL or the user's client."""

    def __init__(self, url: str | None, client: Any, redis_options: dict[str, Any], stream: str) -> None:
        if client is None:
            client = make_client(redis.Redis, url, redis_options)
        check_client(client, (redis.Redis, redis.RedisCluster), "sync redis-py")
        self._client = client
        self._stream = stream
        self._fresh = True
        if isinstance(client, redis.RedisCluster):
            check_slot(stream)

    def connect(self, name: str, limit: float = HANDSHAKE_LIMIT) -> socket.socket:
        """A connection after its handshake, each step of which may take ``limit`` seconds. Raises what redis-py raises."""
        client = self._client
        if isinstance(client, redis.RedisCluster):
            if not self._fresh:
                # It broke or was refused: the slot may have moved.
                client.nodes_manager.initialize()
            self._fresh = False
            cluster: Any = client
            client = cluster.get_redis_connection(cluster.get_node_from_key(self._stream))
        pool = client.connection_pool
        connection = pool.connection_class(**within(connection_kwargs(pool.connection_kwargs, Retry), limit))
        connection.connect()
        connection.send_command(*set_name(name))
        with contextlib.suppress(redis.ResponseError):
            # Refused without the right to CLIENT: the connection works, and has no name.
            connection.read_response()
        # From here on redis-py has nothing to do with it.
        sock: socket.socket = connection._sock
        connection._sock = None
        sock.setblocking(False)
        return sock


class SocketWire:
    """An open socket: what is to be sent is collected under the loop's lock and leaves without it."""

    def __init__(self, lane: Lane, sock: socket.socket, poller: Poller, dirty: list[SocketWire]) -> None:
        self.lane = lane
        self.broken = ""
        self._sock = sock
        self._poller = poller
        self._dirty = dirty
        self._out: deque[bytes] = deque()
        self._sending = threading.Lock()
        self._stuck = False
        poller.add(sock, self)

    def send(self, data: bytes) -> None:
        self._out.append(data)
        if self.lane.name == "write":
            # What somebody waits for goes before the next read.
            self._dirty.insert(0, self)
        else:
            self._dirty.append(self)

    def flush(self) -> bool:
        """Send what is there, in order. Returns whether a leader should look. Call it without the loop's lock."""
        with self._sending:
            return not self._stuck and self._push()

    def writable(self) -> None:
        """The socket takes more. Called by the leader."""
        with self._sending:
            self._stuck = False
            self._push()
            if not self._stuck:
                self._poller.want_write(self._sock, False)

    def _push(self) -> bool:
        out = self._out
        while out:
            data = out.popleft()
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                sent = 0
            except OSError as error:
                self.broken = str(error) or type(error).__name__
                return True
            if sent < len(data):
                out.appendleft(data[sent:])
                self._stuck = True
                self._poller.want_write(self._sock, True)
                return True
        return False

    def receive(self) -> bytes | None:
        """What has come; empty when the connection is over, None when there was nothing. Called by the leader."""
        try:
            data = self._sock.recv(READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as error:
            self.broken = str(error) or type(error).__name__
            return b""
        if not data:
            self.broken = "Redis closed the connection"
        elif isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            # Decrypted already: no poller tells of it.
            return data + (self.receive() or b"")
        return data

    def close(self) -> None:
        self._poller.remove(self._sock)
        self._sock.close()


class Poller:
    """Waits for several sockets at once, and may be woken by ``poke``. Sockets may be added while somebody waits."""

    def __init__(self) -> None:
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._selector = None if self._epoll is not None else selectors.DefaultSelector()
        self._wires: dict[int, SocketWire] = {}
        self._alarm, self._bell = socket.socketpair()
        for end in (self._alarm, self._bell):
            end.setblocking(False)
        self._alarm_fd = self._alarm.fileno()
        if self._epoll is not None:
            self._epoll.register(self._alarm_fd, select.EPOLLIN)
        elif self._selector is not None:
            self._selector.register(self._alarm, selectors.EVENT_READ)

    def add(self, sock: socket.socket, wire: SocketWire) -> None:
        self._wires[sock.fileno()] = wire
        if self._epoll is not None:
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        elif self._selector is not None:
            self._selector.register(sock, selectors.EVENT_READ)
            self.poke()

    def remove(self, sock: socket.socket) -> None:
        fd = sock.fileno()
        if self._wires.pop(fd, None) is None:
            return
        try:
            if self._epoll is not None:
                self._epoll.unregister(fd)
            elif self._selector is not None:
                self._selector.unregister(sock)
        except (OSError, ValueError, KeyError):  # closed meanwhile
            pass

    def want_write(self, sock: socket.socket, on: bool) -> None:
        try:
            if self._epoll is not None:
                self._epoll.modify(sock.fileno(), select.EPOLLIN | (select.EPOLLOUT if on else 0))
            elif self._selector is not None:
                self._selector.modify(sock, selectors.EVENT_READ | (selectors.EVENT_WRITE if on else 0))
        except (OSError, ValueError, KeyError):
            pass

    def poke(self) -> None:
        """Make ``wait`` return now."""
        try:
            self._bell.send(b"!")
        except OSError:
            # Full: it is poked already. Closed: nobody waits.
            pass

    def wait(self, timeout: float) -> list[tuple[SocketWire, bool, bool]]:
        """Wires that can be read or written, after at most ``timeout`` seconds."""
        ready: list[tuple[SocketWire, bool, bool]] = []
        for fd, readable, writable in self._poll(timeout):
            if fd == self._alarm_fd:
                try:
                    self._alarm.recv(4096)
                except OSError:
                    pass
                continue
            wire = self._wires.get(fd)
            if wire is not None:
                ready.append((wire, readable, writable))
        return ready

    def _poll(self, timeout: float) -> list[tuple[int, bool, bool]]:
        if self._epoll is not None:
            return [
                (fd, bool(mask & ~select.EPOLLOUT), bool(mask & select.EPOLLOUT))
                for fd, mask in self._epoll.poll(timeout)
            ]
        assert self._selector is not None
        return [
            (key.fd, bool(mask & selectors.EVENT_READ), bool(mask & selectors.EVENT_WRITE))
            for key, mask in self._selector.select(timeout)
        ]

    def close(self) -> None:
        if self._epoll is not None:
            self._epoll.close()
        elif self._selector is not None:
            self._selector.close()
        self._alarm.close()
        self._bell.close()
