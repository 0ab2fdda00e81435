"""The address of a Redis: the parts of a redis:// URL that the runner needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_CREDENTIALS = re.compile(r"""\b((?:rediss?|unix)://)[^\s"'<>]*@""")
"""Up to the last @ before a blank, since an unescaped password may contain a slash or an @."""


def without_passwords(text: str) -> str:
    """The text with every Redis URL in it, and without the names and passwords of these."""
    if "://" in text:
        text = _CREDENTIALS.sub(r"\1***@", text)
    return text


@dataclass(frozen=True)
class Address:
    """Host, port and what a connection says first."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    db: int = 0
    tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Address:
        """Reads redis:// and rediss:// URLs; raises ValueError for others (the tap needs TCP)."""
        try:
            parts = urlsplit(url)
            port = parts.port or 6379
        except ValueError as error:
            raise ValueError(
                f"{without_passwords(url)!r} is not a URL: {error}; write IPv6 in [] and escape / in a password as %2F"
            ) from error
        if parts.scheme not in ("redis", "rediss"):
            raise ValueError(
                f"a redis:// or rediss:// URL is needed, not {without_passwords(url)!r}: the tap needs TCP"
            )
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=port,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password is not None else None,
            db=_database(parts.path.strip("/"), parts.query),
            tls=parts.scheme == "rediss",
        )

    def url(self, host: str | None = None, port: int | None = None, *, tls: bool | None = None) -> str:
        """A URL with the same credentials, perhaps for another host and port (the tap)."""
        scheme = "rediss" if (self.tls if tls is None else tls) else "redis"
        secret = ""
        if self.username or self.password:
            secret = f"{quote(self.username or '', safe='')}:{quote(self.password or '', safe='')}@"
        name = host or self.host
        return f"{scheme}://{secret}{f'[{name}]' if ':' in name else name}:{port or self.port}/{self.db}"

    def greeting(self) -> list[tuple[str, ...]]:
        """The first commands of a connection."""
        commands: list[tuple[str, ...]] = []
        # A user without a password (nopass) is named as well: Redis takes any password for it.
        if self.username or self.password:
            commands.append(("AUTH", *([self.username] if self.username else []), self.password or ""))
        if self.db:
            commands.append(("SELECT", str(self.db)))
        return commands


def _database(path: str, query: str) -> int:
    """The number of the database: in the path, or as `?db=`, which wins if both are there."""
    options = dict(parse_qsl(query, keep_blank_values=True))
    number = options.pop("db", path) or "0"
    if options:
        raise ValueError(f"the suite knows no option {', '.join(options)} of a Redis URL, only ?db=")
    if not number.isascii() or not number.isdigit():
        raise ValueError(f"the database of a Redis URL is a number, not {number!r}")
    return int(number)
