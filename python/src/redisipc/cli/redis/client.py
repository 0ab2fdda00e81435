"""Asks Redis: over a connection that opens when it is needed, to the node of a cluster that a redirection names."""

from __future__ import annotations

from time import monotonic
from typing import Any

from redisipc.cli.exits import REDIS, Problem
from redisipc.protocol.commands import Arg, Command, Failure
from redisipc.protocol.redis_errors import advice_about_version
from redisipc.runtime.tls_words import plain, tls_advice

from .address import Address, address_of
from .link import Link, Refused

_ADVICE = {
    "NOAUTH": "put the credentials into the URL: redis://user:password@host",
    "WRONGPASS": "check the user and the password in the URL",
    "WRONGDB": "check the database number in the URL",
    "NOPERM": "`redisipc acl STREAM` prints the rights of an endpoint, `redisipc acl STREAM --caller` those of send and call",
    "WRONGTYPE": "a key of this name is not a stream: is --stream right?",
    "LOADING": "Redis is starting; try again",
    "CLUSTERDOWN": "the cluster has a slot that nobody serves",
    "DENIED": "Redis runs in protected mode: give it a password, or ask it from its own host",
}
_OPTIONS = {
    "rediss://...?ssl_ca_certs=FILE": "--ca FILE",
    "rediss://...?ssl_certfile=FILE&ssl_keyfile=FILE": "--cert FILE --key FILE",
    "rediss://...?ssl_keyfile=FILE": "--key FILE",
}
_AWAY = "is it running there? To use another Redis, set --url or REDIS_URL"


class Client:
    """``limit``: seconds that opening a connection and each reply may take."""

    def __init__(self, url: str | None, limit: float = 5.0) -> None:
        self.address: Address
        self.source: str
        self.address, self.source = address_of(url)
        self.limit = limit
        self.commands: int = 0
        self._links: dict[tuple[str, int], Link] = {}

    def open(self, address: Address | None = None, limit: float | None = None) -> Link:
        """A new connection. Raises ``Problem``."""
        where = address or self.address
        try:
            return Link(where, min(self.limit, 5.0) if limit is None else limit)
        except Refused as error:
            raise self.refused(error.failure) from error
        except OSError as error:
            raise self.away(error) from error

    def batch(self, commands: list[Command]) -> list[Any]:
        """The replies, errors among them as ``Failure``. Raises ``Problem`` where the connection fails."""
        self.commands += len(commands)
        replies = self._exchange(self.address, commands)
        for i, reply in enumerate(replies):
            if isinstance(reply, Failure) and reply.kind == "MOVED":
                host, _, port = reply.message.split()[2].rpartition(":")
                replies[i] = self._exchange(self.address.at(host, int(port)), [commands[i]])[0]
        return replies

    def ask(self, *command: Arg, least: bool = True) -> Any:
        """The reply to one command. A refusal raises ``Problem``; with ``least`` false it is returned."""
        [reply] = self.batch([command])
        if isinstance(reply, Failure) and (least or reply.kind in ("NOAUTH", "WRONGPASS")):
            raise self.refused(reply)
        return reply

    def check(self, replies: list[Any], *harmless: str) -> list[Any]:
        """The replies, or ``Problem`` for the first refusal whose first word is not among ``harmless``."""
        for reply in replies:
            if isinstance(reply, Failure) and reply.kind not in harmless:
                raise self.refused(reply)
        return replies

    def _exchange(self, address: Address, commands: list[Command]) -> list[Any]:
        place = (address.host, address.port)
        link = self._links.get(place)
        if link is None:
            link = self._links[place] = self.open(address)
        try:
            return link.exchange(commands, monotonic() + self.limit)
        except OSError as error:
            self._links.pop(place).close()
            raise self.away(error) from error

    def close(self) -> None:
        """Close all connections; the next command opens a new one."""
        while self._links:
            self._links.popitem()[1].close()

    def away(self, error: BaseException) -> Problem:
        """Redis does not answer."""
        reason = plain(str(getattr(error, "strerror", None) or error or type(error).__name__))
        text = f"cannot reach Redis at {self.address} ({self.source}): {reason}"
        advice = tls_advice(reason, self.address.kind == "rediss") if self.address.kind != "unix" else ""
        # The words of the URL, as options of the command.
        for words, options in _OPTIONS.items():
            advice = advice.replace(words, options)
        if not advice and reason.endswith("?"):
            return Problem(REDIS, f"{text} Check the address")
        return Problem(REDIS, f"{text}; {advice or _AWAY}")

    def refused(self, failure: Failure) -> Problem:
        """Redis answers with an error."""
        said = failure.message.rstrip(". ")
        return Problem(REDIS, f"Redis at {self.address} refuses: {said}{advice(said)}")


def advice(refusal: str) -> str:
    """Advice about what Redis said, after a semicolon; empty if there is none."""
    word = "WRONGDB" if "DB index" in refusal else refusal.partition(" ")[0]
    what = _ADVICE.get(word, "")
    return f"; {what}" if what else advice_about_version(refusal)
