"""From what a user gave us, a URL or any redis-py client, to connections of our own.

Nothing is sent over the user's client. Our connections use its settings: address, credentials, TLS, Sentinel, cluster. Some
settings must differ: RESP2, undecoded bytes, finite time limits, and no retries, since redis-py repeats an XADD whose connection
broke.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError

from redisipc.errors import ConfigurationError
from redisipc.schemes import hub_at, serves

from .tls_words import FILES

DEFAULT_URL = "redis://localhost:6379/0"
HANDSHAKE_LIMIT = 5.0
"""Seconds for connecting and for each reply of the handshake, where the client's settings do not say."""

_NOT_OURS = (
    # Settings of pools, and of features that send commands of their own on a connection.
    "cache",
    "cache_config",
    "maint_notifications_config",
    "maint_notifications_pool_handler",
    "oss_cluster_maint_notifications_handler",
    "maintenance_state",
    "maintenance_notification_hash",
    "retry_on_timeout",
    "himport_registry",
)


REDIS_OPTIONS = frozenset(
    ("host", "port", "db", "username", "password", "unix_socket_path", "ssl", "socket_timeout", "socket_connect_timeout",
     "socket_keepalive", "decode_responses", "health_check_interval", "retry", "max_connections", "protocol", "client_name")
)  # fmt: skip
"""Arguments of redis-py that are often given as options of an endpoint."""
_STRINGS = ("host", "unix_socket_path", "username", "url")
_NUMBERS = ("port", "db")
SETTINGS_ERRORS: tuple[type[Exception], ...] = (ValueError, TypeError, RedisError)
"""Exceptions by which redis-py refuses settings before it connects."""
HIGHEST_DATABASE = 2**31 - 1
"""Redis reads no higher number, and says then that a value is out of range, not which."""
_ADDRESS = ("host", "port", "unix_socket_path", "ssl")
"""Options of redis-py that say where Redis is, as a URL does."""


def url_of(url: str | None) -> str:
    """The URL to use: the given one, or that of ``REDIS_URL``, or a local server."""
    return url or os.environ.get("REDIS_URL") or DEFAULT_URL


def make_client(kind: type[Any], url: str | None, redis_options: dict[str, Any]) -> Any:
    """A redis-py client that this library makes. Only its settings are used.

    What ``redis_options`` say goes before the URL and the environment. Raises ``ConfigurationError`` for two addresses,
    TypeError or ValueError for what redis-py does not know.
    """
    where = [name for name in _ADDRESS if name in redis_options]
    if where:
        if url is not None:
            raise ConfigurationError(f"give a url, or {' and '.join(where)} in redis_options, not both")
        return kind(**redis_options)
    client = _from_url(kind, url)
    pool = client.connection_pool
    pool.connection_kwargs.update(redis_options)
    for name in FILES:
        value = pool.connection_kwargs.get(name)
        if isinstance(value, str) and not os.path.exists(value):
            raise ConfigurationError(f"{name} names {value!r}, and there is no such file")
    # Made and not opened, it shows an option that does not exist.
    pool.connection_class(**pool.connection_kwargs)
    return client


def _from_url(kind: type[Any], url: str | None) -> Any:
    """A client for a URL. The error says where the URL came from, and hides user and password."""
    used = url_of(url)
    source = "url=" if url else "REDIS_URL of the environment"
    shown = re.sub(r"//[^@/]*@", "//***@", used)[:80]
    wanted = "it must look like redis://user:password@host:6379/0, rediss://... or unix:///path"
    problem = _problem_of(used)
    if problem:
        raise ConfigurationError(f"{source} cannot be used, {shown!r}: {problem}; {wanted}")
    try:
        client = kind.from_url(used)
    except ValueError as error:
        raise ConfigurationError(f"{source} cannot be used, {shown!r}: {error}; {wanted}") from error
    if client.connection_pool.connection_kwargs.get("db", 0) > HIGHEST_DATABASE:
        raise ConfigurationError(
            f"{source} cannot be used, {shown!r}: no server has a database above {HIGHEST_DATABASE}"
        )
    return client


def _problem_of(url: str) -> str:
    """A mistake in a URL that redis-py ignores or tells in Python's words: in the database, the port, the host or the path."""
    if re.search(r"\s", url.rstrip("\r\n")):
        return "there is a blank in it (in a password, write %20)"
    if url.startswith("unix://"):
        return "" if re.match(r"unix://[^?]", url) else "it names no path"
    if not re.match(r"rediss?://", url):
        return ""
    database = re.sub(r"^rediss?://[^/?]*/?|\?.*$", "", url).rstrip("\r\n")
    if database and not database.isdigit():
        return "the database must be a number"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the host must be a name or an address, an IPv6 one in brackets, such as [::1]"
    try:
        port = parts.port
    except ValueError:
        port = 0
    return "the port must be a number between 1 and 65535" if port == 0 else ""


def check_place(url: Any, client: Any, redis_options: Any) -> None:
    """Raise ``ConfigurationError`` if the settings for Redis' address have a wrong type, or name two addresses."""
    if url is not None and not isinstance(url, str):
        raise ConfigurationError(f"url must be a string, such as redis://localhost:6379/0, got {type(url).__name__}")
    if url == "":
        raise ConfigurationError("the url is empty; leave it out for REDIS_URL or redis://localhost:6379")
    if redis_options is not None and not isinstance(redis_options, Mapping):
        raise ConfigurationError(
            "redis_options must be a dict of arguments of redis-py, such as {'password': ...}, "
            f"got {type(redis_options).__name__}"
        )
    if client is not None and url is not None:
        raise ConfigurationError("give a url or a client, not both")
    for name, value in (redis_options or {}).items():
        if not isinstance(name, str):
            raise ConfigurationError(f"the names in redis_options must be strings, got {type(name).__name__}")
        if name in _STRINGS and value is not None and not isinstance(value, str):
            raise ConfigurationError(f"{name} in redis_options must be a string, got {type(value).__name__}")
        if name in _NUMBERS and value is not None and not str(value).isdigit():
            raise ConfigurationError(f"{name} in redis_options must be a whole number, got {value!r}")
        if name == "db" and value is not None and int(value) > HIGHEST_DATABASE:
            raise ConfigurationError(f"db in redis_options: no server has a database above {HIGHEST_DATABASE}")


def wrong_settings(error: Exception) -> ConfigurationError:
    """The error for settings that redis-py cannot use, in terms of this library's options."""
    if isinstance(error, ConfigurationError):
        return error
    unknown = re.search(r"unexpected keyword argument '([^']*)'", str(error))
    said = str(error)
    if unknown:
        said = f"redis-py has no argument {unknown[1]!r}; look at redis_options, and at what follows ? in the URL"
    wrong = ConfigurationError(f"the connection's settings are wrong: {said}")
    wrong.__cause__ = error
    return wrong


def address_of(client: Any) -> str:
    """The address that a redis-py client connects to, for messages. Empty if the client does not tell."""
    kwargs = getattr(getattr(client, "connection_pool", None), "connection_kwargs", {})
    if kwargs.get("path"):
        return str(kwargs["path"])
    return f"{kwargs['host']}:{kwargs.get('port', 6379)}" if kwargs.get("host") else ""


def speaks_tls(client: Any) -> bool | None:
    """Whether a redis-py client uses TLS. None if it does not tell."""
    kind = getattr(getattr(client, "connection_pool", None), "connection_class", None)
    return None if kind is None else "SSL" in kind.__name__


def memory_of(url: str | None, client: Any, redis_options: dict[str, Any]) -> Any:
    """The hub that replaces Redis, such as one of ``redisipc.testing``; None for a real Redis."""
    if client is not None:
        return client if hasattr(client, "redisipc_socket") and not isinstance(client, type) else None
    used = url_of(url)
    if not serves(used) or any(name in redis_options for name in _ADDRESS):
        return None
    if redis_options:
        # As over a Redis: an option that does not exist is a mistake, which a test must not hide.
        make_client(redis.Redis, DEFAULT_URL, redis_options)
    return hub_at(used)


def connection_kwargs(kwargs: dict[str, Any], retry: type[Any]) -> dict[str, Any]:
    """Arguments for a connection of ours, from those of the user's client.

    Its name is given after the handshake, since redis-py would fail without the right to CLIENT (RIPC-REDIS-8).
    """
    ours = {key: value for key, value in kwargs.items() if key not in _NOT_OURS}
    ours.update(
        retry=retry(NoBackoff(), 0),
        retry_on_error=[],
        decode_responses=False,
        health_check_interval=0,
        protocol=2,
        client_name=None,
        socket_timeout=ours.get("socket_timeout") or HANDSHAKE_LIMIT,
        socket_connect_timeout=ours.get("socket_connect_timeout") or HANDSHAKE_LIMIT,
    )
    return ours


def follows_sentinels(pool: Any) -> bool:
    """Whether connections of this pool ask Sentinels for the master."""
    return getattr(pool, "sentinel_manager", None) is not None and bool(pool.is_master)


def set_name(name: str) -> tuple[str, str, str]:
    """The command after which CLIENT LIST shows ``name``."""
    return "CLIENT", "SETNAME", re.sub(r"[^!-~]", "_", name)


def within(kwargs: dict[str, Any], limit: float) -> dict[str, Any]:
    """``kwargs`` of a connection, with at most ``limit`` seconds for connecting and for each reply of the handshake."""
    shorter = {name: min(kwargs[name], limit) for name in ("socket_timeout", "socket_connect_timeout")}
    return {**kwargs, **shorter}


def at(place: tuple[str, int] | None, kwargs: dict[str, Any]) -> dict[str, Any]:
    """``kwargs`` of a connection, to the node that a redirection named; without a host the one that they have."""
    return kwargs if place is None else {**kwargs, "host": place[0] or kwargs.get("host"), "port": place[1]}


def check_client(client: Any, wanted: tuple[type[Any], ...], face: str) -> None:
    """Raise ``ConfigurationError`` where ``client`` has none of the expected types."""
    if isinstance(client, wanted):
        return
    if hasattr(client, "master_for"):
        raise ConfigurationError("pass a client of the master, sentinel.master_for(NAME), and not the Sentinel itself")
    if isinstance(client, type):
        raise ConfigurationError(f"client must be a client and not its class: client={client.__name__}(...)")
    names = " or ".join(f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in wanted)
    raise ConfigurationError(
        f"client must be a {face} client ({names}), got {type(client).__module__}.{type(client).__name__}"
    )


def check_slot(stream: str) -> None:
    """In a cluster, all keys of a stream must lie in one slot. A hash tag in the stream's name achieves that."""
    if key_slot(stream.encode()) != key_slot(f"{stream}:group:instance:consumers".encode()):
        raise ConfigurationError(
            f"in a cluster, put the stream's name in braces: {'{' + stream + '}'!r}; only then its keys share one slot"
        )
