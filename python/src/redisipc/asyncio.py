"""The face for asyncio: the same names as in ``redisipc``, awaited where they wait."""

from typing import TYPE_CHECKING

from redisipc.errors import (
    AlreadyAnswered,
    AlreadyConnected,
    CannotWait,
    ClosedError,
    ConfigurationError,
    ConnectionLost,
    ContentError,
    EntryError,
    ForkedError,
    HandlerError,
    HandlerFailed,
    LoopLagError,
    NoResponders,
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
from redisipc.lazy import lazily
from redisipc.version import __version__

__all__ = [
    "AlreadyAnswered",
    "AlreadyConnected",
    "Caller",
    "CannotWait",
    "Channel",
    "ClosedError",
    "ConfigurationError",
    "ConnectionLost",
    "ContentError",
    "Diagnosis",
    "EntryError",
    "ForkedError",
    "HandlerError",
    "HandlerFailed",
    "Health",
    "LoopLagError",
    "NoResponders",
    "NotConnected",
    "Observation",
    "Options",
    "Overloaded",
    "Peer",
    "ReasonCode",
    "RedisIPCError",
    "Reject",
    "Rejected",
    "ReportedError",
    "Request",
    "RequestCancelled",
    "RequestError",
    "RequestFailed",
    "RequestFuture",
    "RequestTimeout",
    "Response",
    "Stats",
    "Stream",
    "WrongLoopError",
    "__version__",
    "event",
]

if TYPE_CHECKING:
    from redisipc.channel.asyncio import Channel
    from redisipc.channel.definition import event
    from redisipc.protocol.diagnosis import Diagnosis
    from redisipc.protocol.peers import Peer
    from redisipc.protocol.reasons import ReasonCode
    from redisipc.runtime.asyncio.caller import Caller
    from redisipc.runtime.asyncio.requests import RequestFuture
    from redisipc.runtime.asyncio.stream import Stream
    from redisipc.runtime.observation import Observation
    from redisipc.runtime.options import Options
    from redisipc.runtime.request import Request
    from redisipc.runtime.response import Response
    from redisipc.runtime.vitals import Health, Stats
else:
    __getattr__, __dir__ = lazily(
        globals(),
        {
            "Caller": "redisipc.runtime.asyncio.caller",
            "Channel": "redisipc.channel.asyncio",
            "Diagnosis": "redisipc.protocol.diagnosis",
            "Health": "redisipc.runtime.vitals",
            "Observation": "redisipc.runtime.observation",
            "Options": "redisipc.runtime.options",
            "Peer": "redisipc.protocol.peers",
            "ReasonCode": "redisipc.protocol.reasons",
            "Request": "redisipc.runtime.request",
            "RequestFuture": "redisipc.runtime.asyncio.requests",
            "Response": "redisipc.runtime.response",
            "Stream": "redisipc.runtime.asyncio.stream",
            "Stats": "redisipc.runtime.vitals",
            "event": "redisipc.channel.definition",
        },
    )
