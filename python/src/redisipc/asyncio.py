"""The face for asyncio: the same names as in ``redisipc``, awaited where they wait."""

from redisipc.channel.asyncio import Channel
from redisipc.channel.definition import event
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
from redisipc.runtime.asyncio.stream import Stream
from redisipc.runtime.options import Options
from redisipc.runtime.request import Request
from redisipc.runtime.response import Response
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
