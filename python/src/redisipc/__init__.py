"""Requests and responses between processes over one Redis stream.

This face is for threads; ``redisipc.asyncio`` has the same names.
"""

import logging as _logging

from redisipc.channel.definition import event
from redisipc.channel.threads import Channel
from redisipc.errors import (
    AlreadyAnswered,
    AlreadyConnected,
    ClosedError,
    ConfigurationError,
    ConnectionLost,
    ContentError,
    EntryError,
    ForkedError,
    HandlerError,
    LoopLagError,
    NotConnected,
    Overloaded,
    RedisIPCError,
    Reject,
    Rejected,
    ReportedError,
    RequestCancelled,
    RequestError,
    RequestFailed,
    RequestTimeout,
    WrongLoopError,
)
from redisipc.runtime.options import Options
from redisipc.runtime.request import Request
from redisipc.runtime.response import Response
from redisipc.runtime.threads.stream import Stream
from redisipc.version import __version__

__all__ = [
    "AlreadyAnswered",
    "AlreadyConnected",
    "Channel",
    "ClosedError",
    "ConfigurationError",
    "ConnectionLost",
    "ContentError",
    "EntryError",
    "ForkedError",
    "HandlerError",
    "LoopLagError",
    "NotConnected",
    "Options",
    "Overloaded",
    "RedisIPCError",
    "Reject",
    "Rejected",
    "ReportedError",
    "Request",
    "RequestCancelled",
    "RequestError",
    "RequestFailed",
    "RequestTimeout",
    "Response",
    "Stream",
    "WrongLoopError",
    "__version__",
    "event",
]

_logging.getLogger("redisipc").addHandler(_logging.NullHandler())
