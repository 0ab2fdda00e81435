"""A Redis that somebody else runs: nothing is started, nothing is stopped, no other key than ours is touched."""

from __future__ import annotations

from .base import NoServer, Server, wait_until_up

CONNECT_SECONDS = 5.0


class GivenServer(Server):
    """The server at a URL."""

    kind = "REDIS_URL"

    def __init__(self, url: str, kind: str = "REDIS_URL"):
        self.kind = kind
        self._url = url
        try:
            wait_until_up(url, CONNECT_SECONDS)
        except ValueError as error:
            raise NoServer(str(error)) from error

    @property
    def url(self) -> str:
        return self._url

    def close(self) -> None:
        """Not ours to end."""
