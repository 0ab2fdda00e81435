"""A Redis that someone else runs: nothing is started or stopped, and only keys of the suite are touched."""

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
        """The suite did not start it, so it does not end it."""
