"""Explains errors of redis-py's handshake to the user: what Redis refused, and what to do."""

from __future__ import annotations

import redis.exceptions

from redisipc.protocol.redis_errors import advice_about_version

from .tls_words import tls_advice

_ADVICE = {
    "NOAUTH": "; put the credentials into the URL: redis://user:password@host",
    "WRONGPASS": "; check the user and the password in the URL",
    "NOPERM": "; `redisipc acl STREAM` prints the rights that an endpoint needs",
    "WRONGTYPE": "; a key of this name holds something else: choose another name for the stream",
    "WRONGDB": "; check the database number in the URL",
}
"""Advice by the first word of the refusal. Only the user can repair these."""


def hint(reason: str) -> str:
    """Advice about a refusal, or an empty text. ``reason`` is the text of Redis, its first word included."""
    found = _ADVICE.get(reason.partition(" ")[0], "")
    about_tls = "" if found else tls_advice(reason)
    return f"; {about_tls}" if about_tls else found or advice_about_version(reason)


def of_handshake(error: BaseException) -> tuple[str, bool]:
    """Why a connection could not be opened, and whether only the user can repair it. redis-py has cut off the first word."""
    text = str(error) or type(error).__name__
    word = ""
    if isinstance(error, redis.exceptions.AuthenticationError):
        word = "NOAUTH" if "required" in text else "WRONGPASS"
    elif isinstance(error, redis.exceptions.NoPermissionError):
        word = "NOPERM"
    elif isinstance(error, redis.exceptions.ResponseError) and "DB index" in text:
        word = "WRONGDB"
    if word and not text.startswith(word):
        text = f"{word} {text}"
    return text, bool(word)
