"""The options as keyword parameters, for type checkers: a misspelt name or a wrong type is an error before the program runs.

``Options`` says what each of them means and has the defaults; a test compares the two. Nothing of this is loaded at run time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypedDict

from .observation import Observation


class RedisClient(Protocol):
    """A client of redis-py, of either twin: a plain one, one of a Sentinel master, or one of a cluster."""

    def pipeline(self) -> Any: ...


class MemoryHub(Protocol):
    """A hub of ``redisipc.testing``, in the place of a client."""

    def redisipc_socket(self, name: str) -> Any: ...


AnyClient = RedisClient | MemoryHub


class LedgerKeywords(TypedDict, total=False):
    """The gem's ``ledger``."""

    entry_timeout: float
    cleanup_interval: float


class ConsumerKeywords(TypedDict, total=False):
    """The gem's ``consumer``."""

    pool_size: int
    execution_interval: float


class DispatcherKeywords(TypedDict, total=False):
    """The gem's ``dispatcher``."""

    pool_size: int
    execution_interval: float


class OptionKeywords(TypedDict, total=False):
    """The options by name, the gem's names included."""

    timeout: float
    connect_timeout: float
    close_timeout: float
    concurrency: int
    max_queue: int
    max_outstanding: int
    max_request_age: float | None
    early_end: bool
    wakeups: bool
    janitor_age: float | None
    read_pause: float
    expose_errors: Literal["text", "type", "none"]
    observers: Sequence[Callable[[Observation], None]]

    ledger: LedgerKeywords
    consumer: ConsumerKeywords
    dispatcher: DispatcherKeywords
    entry_timeout: float
    cleanup_interval: float
    pool_size: int
    max_pool_size: int | None


class ConnectKeywords(OptionKeywords, total=False):
    """The parameters of ``Stream.connect``."""

    url: str | None
    client: AnyClient | None
    redis_options: Mapping[str, Any] | None
    logger: logging.Logger | None


class CallerKeywords(TypedDict, total=False):
    """The parameters of a ``Caller`` whose URL is given apart."""

    redis_options: Mapping[str, Any] | None
    timeout: float
    max_outstanding: int
    early_end: bool
    observers: Sequence[Callable[[Observation], None]]
