"""Options that all commands have, and what a command is given."""

from __future__ import annotations

import argparse
import os
from typing import Any
from urllib.parse import urlencode

from .exits import USAGE, Problem
from .output import Output
from .redis.client import Client
from .values import duration

_FILES = {"ca": "ssl_ca_certs", "cert": "ssl_certfile", "key": "ssl_keyfile"}
"""The options that name files for TLS, and redis-py's words for them, which may be in the URL, too."""


class Given:
    """The parsed command line, where to write, and Redis."""

    def __init__(self, args: argparse.Namespace, out: Output) -> None:
        self.args = args
        self.out = out
        self.timeout: float = getattr(args, "timeout", None) or 5.0
        self.client: Client = Client(self.url_given, max(5.0, self.timeout))

    @property
    def stream(self) -> str:
        """The stream's name. Raises ``Problem`` where nobody named one."""
        named = getattr(self.args, "stream", None)
        name = os.environ.get("REDISIPC_STREAM") if named is None else named
        if not name or not name.strip():
            raise Problem(USAGE, "which stream? Give --stream NAME, or set REDISIPC_STREAM")
        return str(name)

    @property
    def limit_given(self) -> float | None:
        """``--timeout`` in seconds, None where it was left out: for commands that else have no end."""
        limit: float | None = getattr(self.args, "timeout", None)
        return limit

    @property
    def url_given(self) -> str | None:
        """``--url``, with the files of ``--ca``, ``--cert`` and ``--key``; None leaves the choice to ``REDIS_URL``."""
        url: str | None = getattr(self.args, "url", None)
        if url is not None and not url.strip():
            # An unset variable of a script: the default may be another Redis.
            raise Problem(USAGE, "--url is empty; leave it out for REDIS_URL or redis://localhost:6379")
        files = {name: getattr(self.args, word, None) for word, name in _FILES.items()}
        named = {name: file for name, file in files.items() if file}
        for word, name in _FILES.items():
            if name in named and not os.path.exists(named[name]):
                raise Problem(USAGE, f"--{word} names {named[name]!r}, and there is no such file")
        if not named:
            return url
        url = url or os.environ.get("REDIS_URL") or ""
        if not url.startswith("rediss://"):
            raise Problem(USAGE, "--ca, --cert and --key are for TLS: give a --url that begins with rediss://")
        return f"{url}{'&' if '?' in url else '?'}{urlencode(named)}"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.args, name)


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options of every command; they may stand before or behind its name."""
    shared = parser.add_argument_group("everywhere")
    add = shared.add_argument
    silent: Any = argparse.SUPPRESS
    add("--url", default=silent, help="Redis: redis://, rediss:// or unix:// (default: REDIS_URL)")
    add(
        "--ca",
        default=silent,
        metavar="FILE",
        help="for rediss://: the CA certificate that signed the server's certificate",
    )
    add("--cert", default=silent, metavar="FILE", help="for rediss://: your own certificate")
    add("--key", default=silent, metavar="FILE", help="for rediss://: its key")
    add("--stream", "-s", default=silent, metavar="NAME", help="the stream (default: REDISIPC_STREAM)")
    add(
        "--timeout",
        "-t",
        default=silent,
        type=duration,
        metavar="2.5s",
        help="the time limit of the command (default: 5s)",
    )
    add("--json", default=silent, action="store_true", help="one JSON object a line; schemas/cli-1 has the schemas")
