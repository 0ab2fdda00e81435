"""Explains TLS errors and their remedy, in words that the library and the command line share."""

from __future__ import annotations

import re

_ADVICE = (
    ("certificate has expired", "renew the server's certificate, or check the clock of this machine"),
    ("certificate is not yet valid", "check the clock of this machine"),
    ("certificate is not valid for", "connect by a name in the server's certificate"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the server's certificate is not trusted here: name the file of the CA that signed it, rediss://...?ssl_ca_certs=FILE",
    ),
    (
        "certificate required",
        "the server wants a certificate of yours: rediss://...?ssl_certfile=FILE&ssl_keyfile=FILE",
    ),
    ("bad certificate", "the server does not accept your certificate: check ssl_certfile and ssl_keyfile"),
    ("unknown ca", "the server does not accept your certificate: check ssl_certfile and ssl_keyfile"),
    ("PEM lib", "the key of your certificate is missing or cannot be read: rediss://...?ssl_keyfile=FILE"),
    ("KEY_VALUES_MISMATCH", "ssl_keyfile is not the key of ssl_certfile"),
    ("WRONG_VERSION_NUMBER", "the server speaks no TLS on this port: write redis:// for rediss://"),
    ("RECORD_LAYER_FAILURE", "the server speaks no TLS on this port: write redis:// for rediss://"),
    ("handshake operation timed out", "does the server speak TLS on this port? If not, write redis:// for rediss://"),
)
_CLOSED = ("reset by peer", "Connection closed by server", "Redis closed the connection")
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_ca_path")
"""Arguments of redis-py that name a file, or a folder, of certificates."""
_PLACE = re.compile(r"_ssl\.c:\d+: | \(_ssl\.c:\d+\)")
"""A place in the source of Python, which its texts about TLS name."""


def plain(reason: str) -> str:
    """The text of an error about TLS, without a place in the source of Python."""
    return _PLACE.sub("", reason)


def tls_advice(reason: str, secure: bool | None = None) -> str:
    """Advice about a connection that could not be opened. Empty if TLS is not the reason.

    ``secure``: whether TLS was used; None: not known.
    """
    for words, advice in _ADVICE:
        if words.lower() in reason.lower():
            return advice
    if secure is False and any(words in reason for words in _CLOSED):
        return "does the server want TLS on this port? Then write rediss:// for redis://"
    if secure and (not reason or "imeout" in reason or "timed out" in reason):
        return "does the server speak TLS on this port? If not, write redis:// for rediss://"
    return ""
