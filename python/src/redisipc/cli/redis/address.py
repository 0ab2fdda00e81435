"""Where Redis is: a URL taken apart, as redis-py reads it."""

from __future__ import annotations

import os
import socket
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from redisipc.cli.exits import USAGE, Problem
from redisipc.runtime.tls_words import FILES

DEFAULT_URL = "redis://localhost:6379/0"


class Address(NamedTuple):
    """A server, who asks it, and how. ``host`` is a path where ``kind`` is ``unix``."""

    kind: str
    host: str
    port: int
    db: int
    user: str
    password: str
    tls: dict[str, str]

    def __str__(self) -> str:
        """Without the password."""
        if self.kind == "unix":
            return self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def at(self, host: str, port: int) -> Address:
        """The same on another node of a cluster."""
        return self._replace(host=host or self.host, port=port)

    def open(self, limit: float) -> socket.socket:
        """A connected socket. Raises OSError; each step may take ``limit`` seconds."""
        if self.kind == "unix":
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(limit)
            sock.connect(self.host)
            return sock
        sock = socket.create_connection((self.host, self.port), limit)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self._secure(sock) if self.kind == "rediss" else sock
        except BaseException:
            sock.close()
            raise

    def _secure(self, sock: socket.socket) -> socket.socket:
        import ssl

        wish = self.tls
        context: Any = ssl.create_default_context(cafile=wish.get("ssl_ca_certs"), capath=wish.get("ssl_ca_path"))
        if wish.get("ssl_check_hostname", "").lower() in ("0", "false", "no"):
            context.check_hostname = False
        if wish.get("ssl_cert_reqs", "").lower() in ("none", "cert_none", "0"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if wish.get("ssl_certfile"):
            context.load_cert_chain(wish["ssl_certfile"], wish.get("ssl_keyfile"), wish.get("ssl_password"))
        secured: socket.socket = context.wrap_socket(sock, server_hostname=self.host)
        return secured


def address_of(url: str | None) -> tuple[Address, str]:
    """The address, and where it came from: ``--url``, ``REDIS_URL`` or the default. Raises ``Problem``."""
    given = os.environ.get("REDIS_URL")
    source = "--url" if url else "REDIS_URL" if given else "the default, since neither --url nor REDIS_URL is set"
    return _parse(url or given or DEFAULT_URL, source.partition(",")[0]), source


def _parse(url: str, source: str) -> Address:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Problem(
            USAGE, f"{source} must have a name or an address as host, an IPv6 one in brackets, such as [::1]"
        ) from None
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise Problem(USAGE, f"{source} must begin with redis://, rediss:// or unix://; write redis://localhost:6379/0")
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    path = unquote(parts.path)
    db = query.get("db", path.strip("/") if parts.scheme != "unix" and path.strip("/") else "0")
    try:
        port = parts.port or 6379
    except ValueError as error:
        raise Problem(USAGE, f"the port in {source} must be a number from 1 to 65535") from error
    if not db.isdecimal():
        raise Problem(USAGE, f"the database in {source} must be a number, got {db!r}")
    host = path if parts.scheme == "unix" else unquote(parts.hostname or "localhost")
    user = unquote(parts.username or query.get("username", ""))
    password = unquote(parts.password or query.get("password", ""))
    for name in FILES:
        if name in query and not os.path.exists(query[name]):
            raise Problem(USAGE, f"{name} in {source} names {query[name]!r}, and there is no such file")
    tls = {name: value for name, value in query.items() if name.startswith("ssl_")}
    return Address(parts.scheme, host, port, int(db), user, password, tls)
