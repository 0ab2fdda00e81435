"""Where a Redis is: the parts of a redis:// URL that the runner needs."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit


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
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss"):
            raise ValueError(f"a redis:// or rediss:// URL is needed, not {url!r}")
        path = parts.path.strip("/")
        return cls(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 6379,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            db=int(path) if path else 0,
            tls=parts.scheme == "rediss",
        )

    def url(self, host: str | None = None, port: int | None = None, *, tls: bool | None = None) -> str:
        """As a URL, with the same credentials, perhaps for another place (the tap)."""
        scheme = "rediss" if (self.tls if tls is None else tls) else "redis"
        secret = ""
        if self.password is not None:
            secret = f"{quote(self.username or '')}:{quote(self.password)}@"
        return f"{scheme}://{secret}{host or self.host}:{port or self.port}/{self.db}"

    def greeting(self) -> list[tuple[str, ...]]:
        """The first commands of a connection."""
        commands: list[tuple[str, ...]] = []
        if self.password is not None:
            commands.append(("AUTH", *([self.username] if self.username else []), self.password))
        if self.db:
            commands.append(("SELECT", str(self.db)))
        return commands
