"""Explains errors of redis-py's handshake to the user: what Redis refused, and what to do."""

from __future__ import annotations

import os
import re

import redis.exceptions

from redisipc.protocol.reasons import shortened
from redisipc.protocol.redis_errors import advice_about_version

from .tls_words import plain, tls_advice

_ADVICE = {
    "NOAUTH": "; put the credentials into the URL: redis://user:password@host",
    "WRONGPASS": "; check the user and the password in the URL",
    "NOPERM": "; `redisipc acl STREAM` prints the rights that an endpoint needs",
    "WRONGTYPE": "; a key of this name holds something else: choose another name for the stream",
    "WRONGDB": "; check the database number in the URL",
}
"""Advice by the first word of the refusal. Only the user can repair these."""
NO_MASTER = "no Sentinel names a master"
_NO_MASTER_ADVICE = "; check that the Sentinels run and agree on a master, and the name that master_for() was given"
_CALL_FAILED = re.compile(r"\[Errno (\d+)\] Connect call failed \('([^']*)', (\d+)[^)]*\)")
"""How asyncio describes an attempt by each address of a host."""
_ALL_FAILED = re.compile(r"Error Multiple exceptions: (.*) connecting to (\S+)\.$", re.DOTALL)
_ONE_FAILED = re.compile(r"Error (\d+) connecting to (\S+)\. Connect call failed \(.*\)\.$")
_CUT_SHORT = re.compile(
    r"Error (?:\d+ |UNKNOWN )?while writing to socket\. (?:Connection reset by peer|Broken pipe|Connection lost)\.?"
)
"""It wrote while the other side closed. A refusal that came first is lost with the connection, above all on asyncio."""
CLOSED_FIRST = (
    "Redis closed the connection before it answered; does it, or a proxy, have a limit of clients (maxclients)?"
)
_ARGUMENTS = re.compile(r"""\((?:-?\d+, (['"])(.*)\1|(['"])(.*)\3,)\)$""", re.DOTALL)
"""The ``repr`` of the arguments of an OSError, with its number or without."""

_OBJECT = re.compile(
    r"""\w\(['"]|\((?:-?\d+, ['"]|['"][^)]*,\))|(?<!['"])\bb['"]|<\w[\w.]*(?:[<(]| object| at 0x)|\{['"]""", re.DOTALL
)
"""A ``repr`` in a text that no pattern above knows: of an error, a tuple, bytes, an object or a dict."""
_OF_REDIS = (redis.exceptions.AuthenticationError, redis.exceptions.ResponseError)
"""Errors whose text Redis wrote."""


def hint(reason: str) -> str:
    """Advice about a refusal, or an empty text. ``reason`` is the text of Redis, its first word included."""
    if reason.startswith(NO_MASTER):
        return _NO_MASTER_ADVICE
    found = _ADVICE.get(reason.partition(" ")[0], "")
    about_tls = "" if found else tls_advice(reason)
    return f"; {about_tls}" if about_tls else found or advice_about_version(reason)


def of_handshake(error: BaseException) -> tuple[str, bool]:
    """Why a connection could not be opened, and whether only the user can repair it. redis-py has cut off the first word."""
    text = words_of(error)
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


def words_of(error: BaseException) -> str:
    """The text of an error of redis-py, without the ``repr`` of Python's objects that some of its texts contain."""
    text = plain(shortened(str(error) or type(error).__name__))
    if _CUT_SHORT.fullmatch(text):
        return CLOSED_FIRST
    text = _ONE_FAILED.sub(lambda found: f"Error {found[1]} connecting to {found[2]}. {_reason(found[1])}.", text)
    text = _CALL_FAILED.sub(lambda found: f"{_reason(found[1])} ({_address(found[2], found[3])})", text)
    text = _ALL_FAILED.sub(r"Error connecting to \2. \1.", text)
    text = _ARGUMENTS.sub(lambda found: found[2] or found[4] or "", text)
    if _OBJECT.search(text) and not isinstance(error, _OF_REDIS):
        return _plain(error)
    # Advice may follow, after a semicolon.
    return text.rstrip(".")


def _plain(error: BaseException) -> str:
    """A text without that of the error: it has the reason that the operating system gave, if it did."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return f"the connection failed: {_reason(str(cause.errno))}"
        cause = cause.__cause__ or cause.__context__
    return f"the connection failed ({type(error).__name__})"


def _reason(number: str) -> str:
    return os.strerror(int(number))


def _address(host: str, port: str) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
