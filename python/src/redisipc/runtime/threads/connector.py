"""Opens connections for threads: redis-py opens, then this library owns the socket, which never blocks."""

from __future__ import annotations

import contextlib
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any

import redis
from redis.retry import Retry

from redisipc.runtime.client import (
    HANDSHAKE_LIMIT,
    address_of,
    at,
    check_client,
    check_slot,
    connection_kwargs,
    follows_sentinels,
    make_client,
    memory_of,
    set_name,
    speaks_tls,
    within,
)
from redisipc.runtime.connection import Place

if TYPE_CHECKING:
    from redisipc.runtime.slots import Map

_OCSP = ("ssl_validate_ocsp", "ssl_validate_ocsp_stapled")
"""Settings with which redis-py asks a server about each certificate."""


class Opening:
    """One attempt to open a connection. The code that waits for it may give it up, on any thread."""

    def __init__(self) -> None:
        self.given_up: bool = False
        self._connections: list[Any] = []
        self._pools: list[Any] = []

    def speaks(self, connection: Any) -> None:
        """From now on the attempt uses this connection of redis-py. Raises TimeoutError if it was given up."""
        self._connections.append(connection)
        if self.given_up:
            raise TimeoutError("this attempt to connect was given up")

    def asks(self, pools: list[Any]) -> None:
        """The attempt asks Sentinels, over connections of these pools."""
        self._pools += pools

    def give_up(self) -> None:
        """End the wait of its thread on a socket."""
        self.given_up = True
        asking = [list(getattr(pool, "_in_use_connections", ())) for pool in self._pools]
        for connection in (*self._connections, *(each for those in asking for each in those)):
            sock = connection._sock
            if sock is not None:
                with contextlib.suppress(OSError):
                    # TLS's own shutdown would remove the state that the thread reads with.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Connector:
    """Where connections go to, from a URL or the user's client."""

    def __init__(self, url: str | None, client: Any, redis_options: dict[str, Any], stream: str) -> None:
        self.cluster: bool = False
        self.fails_over: bool = False
        self.address: str = ""
        self.secure: bool | None = None
        self._memory = memory_of(url, client, redis_options)
        if self._memory is not None:
            return
        if client is None:
            client = make_client(redis.Redis, url, redis_options)
        check_client(client, (redis.Redis, redis.RedisCluster), "sync redis-py")
        self._client = client
        self.address, self.secure = address_of(client), speaks_tls(client)
        self._stream = stream
        self._slots: Map
        self._sentinels: Any = None
        self._certificates: Any = None
        if self.secure is not False:
            from redisipc.runtime.certificates import Certificates  # nobody else pays for it

            self._certificates = Certificates()
        self.cluster = isinstance(client, redis.RedisCluster)
        if self.cluster:
            from redisipc.runtime import slots  # nobody else pays for it

            check_slot(stream)
            self._known_to = slots.known_to
            self._slots = slots.Map(stream, slots.known_to(client))
        self.fails_over = self.cluster or follows_sentinels(client.connection_pool)

    @property
    def blocks(self) -> bool:
        """Whether connecting may take long."""
        return self._memory is None

    def connect(
        self,
        name: str,
        limit: float = HANDSHAKE_LIMIT,
        place: Place | None = None,
        opening: Opening | None = None,
    ) -> socket.socket:
        """A connection after its handshake. Each step of the handshake may take ``limit`` seconds. Raises what redis-py
        raises.

        ``opening`` lets other code give it up before it is open.
        """
        if self._memory is not None:
            memory: socket.socket = self._memory.redisipc_socket(name)
            return memory
        opening = opening or Opening()
        asked = None
        redirected_to = place
        if self.cluster:
            node = self._client.get_node_from_key(self._stream)
            pool = self._client.get_redis_connection(node).connection_pool
            if place is None:
                place, limit, asked = self._holder(node, pool, limit, opening)
        else:
            pool = self._client.connection_pool
        connection = self._new(pool, limit, place, opening)
        if asked is not None:
            self._slots.order.led(asked)
        elif redirected_to is not None:
            self._slots.led_to(redirected_to)
        connection.send_command(*set_name(name))
        with contextlib.suppress(redis.ResponseError):
            # Redis refuses this without the right to CLIENT. The connection works then, but has no name.
            connection.read_response()
        # From here on, redis-py does not touch the connection.
        sock: socket.socket = connection._sock
        connection._sock = None
        sock.setblocking(False)
        return sock

    def _holder(self, node: Any, pool: Any, limit: float, opening: Opening) -> tuple[Place, float, Place | None]:
        """The node that holds the stream, the limit for a handshake with it, and who said so.

        ``node``: the holder as the client knows it. ``pool``: of any node, for its settings.
        """
        cluster, slots = self._client, self._slots
        if slots.node is None:
            slots.begin((node.host, node.port), self._known_to(cluster))
            return (node.host, node.port), limit, None
        # It broke or was refused. The slot may have moved.
        kwargs = connection_kwargs(pool.connection_kwargs, Retry)
        problem: Exception = redis.ConnectionError("no node of the cluster says who holds the stream")
        for place in slots.to_ask(self._known_to(cluster)):
            begun = monotonic()
            connection = pool.connection_class(**at(place, within(kwargs, slots.order.limit(place, limit))))
            opening.speaks(connection)
            slots.order.asks(place)
            try:
                connection.connect()
                connection.send_command(*slots.QUESTION)
                if slots.learn(
                    place, connection.read_response(), getattr(cluster.nodes_manager, "address_remap", None)
                ):
                    return slots.node, slots.limit(limit, monotonic() - begun), place
            except (redis.RedisError, OSError) as error:
                problem = error
            finally:
                connection.disconnect()
        raise problem

    def _new(self, pool: Any, limit: float, place: Place | None, opening: Opening) -> Any:
        """An open connection of redis-py's."""
        kwargs = at(place, within(connection_kwargs(pool.connection_kwargs, Retry), limit))
        if not follows_sentinels(pool):
            connection = pool.connection_class(**kwargs)
            opening.speaks(connection)
            self._connect(connection)
            return connection
        from redisipc.runtime.asking import Order  # nobody else pays for it
        from redisipc.runtime.sentinels import Directory

        self._sentinels = self._sentinels or Order()
        directory = Directory(pool, self._sentinels, Retry, redis.Redis, limit)
        opening.asks(directory.pools)
        try:
            connection = directory.connection = pool.connection_class(**{**kwargs, "connection_pool": directory})
            opening.speaks(connection)
            self._connect(connection)
            directory.remember()
            return connection
        finally:
            for each in directory.pools:
                each.disconnect()

    def _connect(self, connection: Any) -> None:
        wrap = getattr(type(connection), "_wrap_socket_with_ssl", None)
        if wrap is None or wrap is not getattr(redis.connection.SSLConnection, "_wrap_socket_with_ssl", None):
            connection.connect()
            return
        if not any(getattr(connection, name, False) for name in _OCSP):
            context = self._certificates.get(connection)
            if context is not None:
                connection._wrap_socket_with_ssl = lambda sock: context.wrap_socket(
                    sock, server_hostname=connection.host
                )
        try:
            connection.connect()
        except BaseException:
            self._certificates.forget()
            raise
        self._certificates.keep(connection, getattr(connection._sock, "context", None))
