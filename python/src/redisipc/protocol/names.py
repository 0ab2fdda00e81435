"""Names on the wire: ids, consumers, keys and wake-up channels, and what a valid name is."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from redisipc.errors import ConfigurationError

_CONSUMER = re.compile(rb"(?:consumer|dispatcher)_(.+)_[0-9]+\Z", re.DOTALL)


def check_name(what: str, name: str) -> str:
    """Return ``name`` or raise ``ConfigurationError``: a stream, group or destination is a string that is not blank.

    RIPC-NAME-1, RIPC-NAME-2.
    """
    if not isinstance(name, str):
        raise ConfigurationError(f"{what} must be a string, got {type(name).__name__}")
    if not name.strip():
        raise ConfigurationError(f"{what} must not be blank")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{what} is not valid Unicode: {error}") from error
    return name


def new_request_id(source: random.Random) -> str:
    """21 lower-case hex characters (RIPC-NAME-9, RIPC-NAME-10)."""
    return f"{source.getrandbits(84):021x}"


def new_instance_id(source: random.Random) -> str:
    """6 lower-case hex characters (RIPC-NAME-4)."""
    return f"{source.getrandbits(24):06x}"


def instance_of(consumer: bytes) -> bytes | None:
    """The instance that a consumer's name belongs to, None where the name is no RedisIPC name."""
    match = _CONSUMER.match(consumer)
    return match.group(1) if match else None


@dataclass(frozen=True, slots=True)
class Names:
    """Every name that one instance uses, encoded once."""

    stream: bytes
    group: bytes
    instance: bytes
    dispatcher: bytes
    consumer: bytes
    registration: bytes
    announcement: bytes
    wakeup: bytes
    group_wakeup: bytes

    @classmethod
    def of(cls, stream: str, group: str, instance: str) -> Names:
        s, g, i = stream.encode(), group.encode(), instance.encode()
        return cls(
            stream=s,
            group=g,
            instance=i,
            dispatcher=b"dispatcher_%b_0" % i,
            consumer=b"consumer_%b_0" % i,
            registration=b"%b:%b:%b:consumers" % (s, g, i),
            announcement=b"%b:%b:%b:announce" % (s, g, i),
            wakeup=b"%b:%b:%b:wakeup" % (s, g, i),
            group_wakeup=b"%b:%b:wakeup" % (s, g),
        )

    def registration_of(self, instance: bytes) -> bytes:
        return b"%b:%b:%b:consumers" % (self.stream, self.group, instance)

    def announcement_of(self, instance: bytes) -> bytes:
        return b"%b:%b:%b:announce" % (self.stream, self.group, instance)

    def wakeup_of(self, instance: bytes) -> bytes:
        return b"%b:%b:%b:wakeup" % (self.stream, self.group, instance)
