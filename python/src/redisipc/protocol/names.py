"""Names on the wire: ids, consumers, keys and wake-up channels, and what a valid name is."""

from __future__ import annotations

import random

from redisipc.errors import ConfigurationError

_KINDS = (b"consumer", b"dispatcher")


def check_name(what: str, name: str) -> str:
    """Return ``name`` or raise ``ConfigurationError``: a stream, group or destination is a string that is not blank.

    RIPC-NAME-1, RIPC-NAME-2.
    """
    if not isinstance(name, str):
        hint = ""
        if isinstance(getattr(name, "group", None), str):
            hint = "; give its group, a name"
        elif isinstance(name, bytes):
            hint = "; decode it"
        elif isinstance(name, (list, tuple, set)):
            hint = "; it is one name"
        raise ConfigurationError(f"{what} must be a string, got {type(name).__name__}{hint}")
    if not name.strip():
        raise ConfigurationError(f"{what} must not be blank")
    if name.isascii():
        return name
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(
            f"{what} is not valid Unicode: character {error.start + 1} is half of a surrogate pair"
        ) from None
    return name


CALLER = "caller:"
"""How the source group of a requester without a group begins (RIPC-ASK-1)."""


def check_group(name: str) -> str:
    """``check_name`` for a group that an endpoint will join: the names of callers are reserved (RIPC-NAME-12)."""
    check_name("group", name)
    if name.startswith(CALLER):
        raise ConfigurationError(f"a group's name must not begin with {CALLER!r}, got {name!r}; choose another name")
    return name


def new_request_id(source: random.Random) -> str:
    """21 lower-case hex characters (RIPC-NAME-9, RIPC-NAME-10)."""
    return f"{source.getrandbits(84):021x}"


def new_instance_id(source: random.Random) -> str:
    """6 lower-case hex characters (RIPC-NAME-4)."""
    return f"{source.getrandbits(24):06x}"


def instance_of(consumer: bytes) -> bytes | None:
    """The instance that a consumer's name belongs to, None if it is not a RedisIPC name."""
    kind, _, rest = consumer.partition(b"_")
    instance, _, number = rest.rpartition(b"_")
    return instance if kind in _KINDS and instance and number.isdigit() else None


class Names:
    """All names that one instance uses, encoded once."""

    __slots__ = (
        "announcement", "consumer", "dispatcher", "group", "group_wakeup", "instance", "registration", "stream", "wakeup",
    )  # fmt: skip

    def __init__(self, stream: bytes, group: bytes, instance: bytes) -> None:
        self.stream: bytes = stream
        self.group: bytes = group
        self.instance: bytes = instance
        self.dispatcher: bytes = b"dispatcher_%b_0" % instance
        self.consumer: bytes = b"consumer_%b_0" % instance
        self.registration: bytes = self.registration_of(instance)
        self.announcement: bytes = self.announcement_of(instance)
        self.wakeup: bytes = self.wakeup_of(instance)
        self.group_wakeup: bytes = b"%b:%b:wakeup" % (stream, group)

    @classmethod
    def of(cls, stream: str, group: str, instance: str) -> Names:
        # Other clients may use names that are not UTF-8: they appear here with surrogates.
        return cls(*(name.encode("utf-8", "surrogateescape") for name in (stream, group, instance)))

    def registration_of(self, instance: bytes) -> bytes:
        return b"%b:%b:%b:consumers" % (self.stream, self.group, instance)

    def announcement_of(self, instance: bytes) -> bytes:
        return b"%b:%b:%b:announce" % (self.stream, self.group, instance)

    def wakeup_of(self, instance: bytes) -> bytes:
        return b"%b:%b:%b:wakeup" % (self.stream, self.group, instance)
