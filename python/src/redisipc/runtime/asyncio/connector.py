"""Opens connections for asyncio: redis-py opens and authenticates, then this library takes the transport over."""

from __future__ import annotations

import asyncio
import contextlib
from time import monotonic
from typing import TYPE_CHECKING, Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry

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

from .transport import cover

if TYPE_CHECKING:
    from redisipc.runtime.slots import Map


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
            client = make_client(redis.asyncio.Redis, url, redis_options)
        check_client(client, (redis.asyncio.Redis, redis.asyncio.RedisCluster), "redis.asyncio")
        self._client = client
        self.address, self.secure = address_of(client), speaks_tls(client)
        self._stream = stream
        self._slots: Map
        self._sentinels: Any = None
        self._certificates: Any = None
        if self.secure is not False:
            from redisipc.runtime.certificates import Certificates  # nobody else pays for it

            self._certificates = Certificates()
        self._connecting: dict[Any, None] = {}
        self.cluster = isinstance(client, redis.asyncio.RedisCluster)
        if self.cluster:
            from redisipc.runtime import slots  # nobody else pays for it

            check_slot(stream)
            self._known_to = slots.known_to
            self._slots = slots.Map(stream, slots.known_to(client))
        self.fails_over = self.cluster or follows_sentinels(client.connection_pool)

    async def connect(self, name: str, limit: float = HANDSHAKE_LIMIT, place: Place | None = None) -> Any:
        """The stream writer of a connection after its handshake. Each step of the handshake may take ``limit`` seconds.

        Raises what redis-py raises.
        """
        if self._memory is not None:
            return self._memory.redisipc_writer(name)
        asked = None
        redirected_to = place
        if self.cluster:
            if self._slots.node is None:
                await self._client.initialize()
            pool = self._client.get_node_from_key(self._stream)
            if place is None:
                place, limit, asked = await self._holder(pool, limit)
        else:
            pool = self._client.connection_pool
        kwargs = at(place, within(connection_kwargs(pool.connection_kwargs, Retry), limit))
        directory = None
        if follows_sentinels(pool):
            from redisipc.runtime.asking import Order  # nobody else pays for it
            from redisipc.runtime.sentinels import Directory

            self._sentinels = self._sentinels or Order()
            directory = kwargs["connection_pool"] = Directory(pool, self._sentinels, Retry, redis.asyncio.Redis, limit)
        connection = pool.connection_class(**kwargs)
        if directory is not None:
            directory.connection = connection
        tls = getattr(connection, "ssl_context", None)
        if tls is not None:
            tls.context = self._certificates.get(tls)
        self._connecting[connection] = None
        try:
            await connection.connect()
            if tls is not None:
                self._certificates.keep(tls, tls.context)
            if directory is not None:
                directory.remember()
            if asked is not None:
                self._slots.order.led(asked)
            elif redirected_to is not None:
                self._slots.led_to(redirected_to)
            await connection.send_command(*set_name(name))
            with contextlib.suppress(redis.ResponseError):
                # Redis refuses this without the right to CLIENT. The connection works then, but has no name.
                await connection.read_response()
        except BaseException:
            # For example after a cancellation: no other code would close it.
            if tls is not None:
                self._certificates.forget()
            await connection.disconnect(nowait=True)
            raise
        finally:
            del self._connecting[connection]
            for each in directory.pools if directory is not None else ():
                await each.disconnect()
        # From here on, redis-py does not touch the connection.
        writer = connection._writer
        connection._reader = connection._writer = None
        return writer

    def abandon(self) -> None:
        """In a forked child: connections that are being opened belong to the parent, and so do their replies."""
        for connection in list(self._connecting) if self._memory is None else ():
            writer = connection._writer
            if writer is not None:
                cover(writer.transport)

    async def _holder(self, node: Any, limit: float) -> tuple[Place, float, Place | None]:
        """The node that holds the stream, the limit for a handshake with it, and who said so.

        ``node``: the holder as the client knows it, with the settings of all nodes.
        """
        cluster, slots = self._client, self._slots
        if slots.node is None:
            slots.begin((node.host, node.port), self._known_to(cluster))
            return (node.host, node.port), limit, None
        # It broke or was refused. The slot may have moved.
        kwargs = connection_kwargs(node.connection_kwargs, Retry)
        problem: Exception = redis.ConnectionError("no node of the cluster says who holds the stream")
        for place in slots.to_ask(self._known_to(cluster)):
            begun = monotonic()
            connection = node.connection_class(**at(place, within(kwargs, slots.order.limit(place, limit))))
            slots.order.asks(place)
            try:
                await connection.connect()
                await connection.send_command(*slots.QUESTION)
                reply = await connection.read_response()
                if slots.learn(place, reply, getattr(cluster.nodes_manager, "address_remap", None)):
                    return slots.node, slots.limit(limit, monotonic() - begun), place
            except (redis.RedisError, OSError, asyncio.TimeoutError) as error:
                problem = error
            finally:
                await connection.disconnect(nowait=True)
        raise problem
