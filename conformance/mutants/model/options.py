"""Options of an endpoint: seconds and numbers of requests."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from .mutation import mutant


def check_seconds(what: str, value: Any) -> float:
    """A finite number above 0, or ValueError."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if mutant("takes-any-timeout") and is_number:
        return float(value)
    if mutant("takes-a-timeout-of-0") and is_number and value == 0:
        return 5.0
    if not is_number or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{what} must be a finite number of seconds above 0, not {value!r}")
    return float(value)


@dataclass
class Options:
    timeout: float = 5.0
    concurrency: int = 16
    queue: int = 1000
    max_outstanding: int = 100_000
    connect_timeout: float = 5.0
    close_timeout: float = 10.0
    max_request_age: float | None = None
    wakeups: bool = True
    no_handler: bool = False

    @classmethod
    def of(cls, given: dict[str, Any]) -> Options:
        """Raises ValueError for a name that does not exist and a value that cannot be."""
        unknown = given.keys() - {field.name for field in dataclasses.fields(cls)} | given.keys() & {"no_handler"}
        if unknown:
            raise ValueError(f"there is no option {', '.join(sorted(unknown))}")
        self = cls(**given)
        if "timeout" in given:
            self.timeout = check_seconds("timeout", self.timeout)
        check_seconds("connect_timeout", self.connect_timeout)
        for name, least in (("concurrency", 1), ("queue", 0), ("max_outstanding", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
        if mutant("default-timeout-of-30-s") and "timeout" not in given:
            self.timeout = 30.0
        if mutant("one-handler-at-a-time"):
            self.concurrency = 1
        return self
