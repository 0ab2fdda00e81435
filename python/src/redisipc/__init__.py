"""Requests and responses between processes over one Redis stream.

This face is for threads; ``redisipc.asyncio`` has the same names.
"""

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
    from redisipc.channel.definition import event
    from redisipc.channel.threads import Channel
    from redisipc.protocol.diagnosis import Diagnosis
    from redisipc.protocol.peers import Peer
    from redisipc.protocol.reasons import ReasonCode
    from redisipc.runtime.observation import Observation
    from redisipc.runtime.options import Options
    from redisipc.runtime.request import Request
    from redisipc.runtime.response import Response
    from redisipc.runtime.threads.caller import Caller
    from redisipc.runtime.threads.requests import RequestFuture
    from redisipc.runtime.threads.stream import Stream
    from redisipc.runtime.vitals import Health, Stats
else:
    __getattr__, __dir__ = lazily(
        globals(),
        {
            "Caller": "redisipc.runtime.threads.caller",
            "Channel": "redisipc.channel.threads",
            "Diagnosis": "redisipc.protocol.diagnosis",
            "Health": "redisipc.runtime.vitals",
            "Observation": "redisipc.runtime.observation",
            "Options": "redisipc.runtime.options",
            "Peer": "redisipc.protocol.peers",
            "ReasonCode": "redisipc.protocol.reasons",
            "Request": "redisipc.runtime.request",
            "RequestFuture": "redisipc.runtime.threads.requests",
            "Response": "redisipc.runtime.response",
            "Stream": "redisipc.runtime.threads.stream",
            "Stats": "redisipc.runtime.vitals",
            "event": "redisipc.channel.definition",
        },
    )
