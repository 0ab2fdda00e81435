"""Keeps the TLS context of a successful connection for the next connections to the same Redis.

redis-py makes a new context each time, and reads all certificates that the system trusts. That costs up to 0.1 s of processor
time for each connection. An event loop stands still meanwhile, and after a loss all connections open again at once.
"""

from __future__ import annotations

import os
import ssl
from time import monotonic
from typing import Any

_AGE = 300.0
"""Seconds after which the certificates are read again."""
_SETTINGS = (
    "keyfile", "certfile", "cert_reqs", "ca_certs", "ca_data", "ca_path", "check_hostname", "certificate_password",
    "password", "ssl_min_version", "min_version", "ssl_ciphers", "ciphers", "ssl_include_verify_flags",
    "include_verify_flags", "ssl_exclude_verify_flags", "exclude_verify_flags",
)  # fmt: skip
_FILES = ("keyfile", "certfile", "ca_certs", "ca_path")


class Certificates:
    """Of one endpoint. The certificates are read again after a failure, or if a file or a setting has changed."""

    def __init__(self) -> None:
        self._kept: tuple[Any, float, ssl.SSLContext] | None = None

    def get(self, settings: Any) -> ssl.SSLContext | None:
        """The context for a connection with these settings, as attributes; None where it needs a new one."""
        kept = self._kept
        if kept is None or monotonic() - kept[1] > _AGE or kept[0] != _about(settings):
            return None
        return kept[2]

    def keep(self, settings: Any, context: Any) -> None:
        """A connection with this context was opened."""
        about = _about(settings)
        kept = self._kept
        if isinstance(context, ssl.SSLContext) and (kept is None or kept[2] is not context or kept[0] != about):
            self._kept = about, monotonic(), context

    def forget(self) -> None:
        """A connection could not be opened."""
        self._kept = None


def _about(settings: Any) -> Any:
    """The basis of a context: the settings, and the state of the files."""
    values = [(name, getattr(settings, name, None)) for name in _SETTINGS]
    return values, [_file(getattr(settings, name, None)) for name in _FILES]


def _file(path: Any) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, TypeError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
