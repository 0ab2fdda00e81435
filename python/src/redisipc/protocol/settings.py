"""The settings of an endpoint, given once when it is made: names, limits and times, with units, defaults and checks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from redisipc.errors import ConfigurationError

from .names import check_group, check_name

NEVER = math.inf
"""The time of something that is not due."""
LEAST_JANITOR_AGE = 86_400.0
"""The janitor never deletes a younger entry, even if its option says so; seconds (RIPC-REDIS-7)."""
BLOCK = 2.9
"""Seconds that a read waits: 3 s of silence behind it show within 6 s that its connection is dead (RIPC-RECOV-25)."""
BLOCK_WITH_FAILOVER = 2.7
"""The same where another server may take over: the time to reach that one comes on top."""
LONGEST_BLOCK = 5.0
"""Seconds: the longest blocking read that is allowed (RIPC-LIFE-5)."""
LONGEST_READ_PAUSE = 0.05
"""Seconds that a request to a group which reads others' entries only may wait for it, whatever the option says."""


class Default:
    """The defaults of what a user sets, of a ``Stream`` and of the core alike."""

    TIMEOUT = 5.0
    CONCURRENCY = 16
    MAX_QUEUE = 1000
    MAX_OUTSTANDING = 100_000
    MAX_REQUEST_AGE: float | None = None
    EARLY_END = True
    WAKEUPS = True
    JANITOR_AGE: float | None = None
    READ_PAUSE = 0.002


class Shared(Protocol):
    """The options that a user sets and the core needs."""

    @property
    def timeout(self) -> float: ...
    @property
    def concurrency(self) -> int: ...
    @property
    def max_queue(self) -> int: ...
    @property
    def max_outstanding(self) -> int: ...
    @property
    def max_request_age(self) -> float | None: ...
    @property
    def early_end(self) -> bool: ...
    @property
    def wakeups(self) -> bool: ...
    @property
    def janitor_age(self) -> float | None: ...
    @property
    def read_pause(self) -> float: ...


class Settings:
    """Options of one endpoint. All times are seconds, all sizes are counts of requests.

    The times that decide about other members of the group (``keep_alive``, ``suspect_after``, ``reclaim_after`` ...) are part of
    the wire: change them only in tests. A look uses the connection that writes: with ``look``, silence there shows within 6.1 s.
    """

    def __init__(
        self,
        stream: str,
        group: str,
        # what a user sets
        timeout: float = Default.TIMEOUT,
        concurrency: int = Default.CONCURRENCY,
        max_queue: int = Default.MAX_QUEUE,
        max_outstanding: int = Default.MAX_OUTSTANDING,
        max_starts: int = 3,
        responder: bool = True,
        unserved_reason: Callable[[bytes], str] | None = None,
        version: str = "0",
        wakeups: bool = Default.WAKEUPS,
        early_end: bool = Default.EARLY_END,
        diagnosis: bool = True,
        janitor_age: float | None = Default.JANITOR_AGE,
        read_pause: float = Default.READ_PAUSE,
        max_request_age: float | None = Default.MAX_REQUEST_AGE,
        answer_kept: float = 60.0,
        # how often something is done
        block: float = BLOCK,
        read_count: int = 128,
        batch_count: int = 512,
        linger: float = 0.005,
        poll: float = 0.01,
        poll_share: float = 0.04,
        poll_most: float = 0.1,
        poll_with_wakeups: float = 0.25,
        refresh: float = 8.0,
        refresh_busy: float = 3.0,
        look: float = 3.0,
        look_spread: float = 0.013,
        around: float = 24.5,
        backoff_first: float = 0.05,
        backoff_most: float = 0.6,
        # the wire's times
        keep_alive: float = 3.0,
        late_after: float = 5.0,
        suspect_after: float = 7.0,
        between_looks: float = 3.0,
        reclaim_after: float = 10.0,
        hold: float = 10.0,
        grace: float = 12.0,
        registration_expiry: float = 100.0,
        refresh_before_request: float = 30.0,
        dead_consumer: float = 120.0,
        connected_before_delete: float = 100.0,
        check_after_waiting: float = 1.0,
        look_limit: float = 0.5,
    ) -> None:
        self.stream = stream
        self.group = group
        self.timeout = timeout
        self.concurrency = concurrency
        self.max_queue = max_queue
        self.max_outstanding = max_outstanding
        self.max_starts = max_starts
        self.responder = responder
        self.unserved_reason = unserved_reason
        self.version = version
        self.wakeups = wakeups
        self.early_end = early_end
        self.diagnosis = diagnosis
        self.janitor_age = janitor_age
        self.read_pause = read_pause
        self.max_request_age = max_request_age
        self.answer_kept = answer_kept
        self.block = block
        self.read_count = read_count
        self.batch_count = batch_count
        self.linger = linger
        self.poll = poll
        self.poll_share = poll_share
        self.poll_most = poll_most
        self.poll_with_wakeups = poll_with_wakeups
        self.refresh = refresh
        self.refresh_busy = refresh_busy
        self.look = look
        self.look_spread = look_spread
        self.around = around
        self.backoff_first = backoff_first
        self.backoff_most = backoff_most
        self.keep_alive = keep_alive
        self.late_after = late_after
        self.suspect_after = suspect_after
        self.between_looks = between_looks
        self.reclaim_after = reclaim_after
        self.hold = hold
        self.grace = grace
        self.registration_expiry = registration_expiry
        self.refresh_before_request = refresh_before_request
        self.dead_consumer = dead_consumer
        self.connected_before_delete = connected_before_delete
        self.check_after_waiting = check_after_waiting
        self.look_limit = look_limit
        self._check()

    def _check(self) -> None:
        check_name("stream", self.stream)
        check_group(self.group)
        check_shared(self)
        for name in ("max_starts", "read_count", "batch_count"):
            check_count(name, getattr(self, name), 1)


def check_shared(options: Shared) -> None:
    """Raise ``ConfigurationError`` for an option that cannot work."""
    check_timeout(options.timeout)
    check_count("concurrency", options.concurrency, 1)
    check_count("max_outstanding", options.max_outstanding, 1)
    check_count("max_queue", options.max_queue, 0)
    for name in ("max_request_age", "janitor_age"):
        if getattr(options, name) is not None:
            check_grace(name, getattr(options, name))
    if options.max_request_age == 0:
        raise ConfigurationError(
            "max_request_age must be above 0, got 0: it would reject every request; None: no limit"
        )
    if check_grace("read_pause", options.read_pause) > LONGEST_READ_PAUSE:
        raise ConfigurationError(
            f"read_pause must be at most {LONGEST_READ_PAUSE:g} seconds, got {options.read_pause!r}; 0 means never"
        )
    for name in ("early_end", "wakeups"):
        check_flag(name, getattr(options, name))


def check_flag(name: str, value: bool) -> bool:
    """Return ``value`` or raise ``ConfigurationError``: it must be True or False."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, got {value!r}")
    return value


def check_count(name: str, value: int, least: int) -> int:
    """Return ``value`` or raise ``ConfigurationError``: it must be a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return value


def check_timeout(timeout: float, name: str = "timeout") -> float:
    """Return ``timeout`` (seconds) or raise ``ConfigurationError``: it must be a finite number above 0 (RIPC-TIME-3)."""
    if type(timeout) is float and 0 < timeout < NEVER:
        return timeout
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        hint = "; give its total_seconds()" if hasattr(timeout, "total_seconds") else ""
        raise ConfigurationError(f"{name} must be a number of seconds, got {type(timeout).__name__}{hint}")
    if not _finite(timeout) or timeout <= 0:
        raise ConfigurationError(f"{name} must be a finite number of seconds above 0, got {timeout}")
    return float(timeout)


def check_grace(name: str, value: float) -> float:
    """Return ``value`` (seconds) or raise ``ConfigurationError``: it must be a finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _finite(value) or value < 0:
        raise ConfigurationError(f"{name} must be a finite number of seconds that is not negative, got {value!r}")
    return float(value)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
