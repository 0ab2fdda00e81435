"""Tests of programs that use RedisIPC, without a Redis. ``redisipc`` itself does not load this package.

The real library runs over a model of Redis in the memory of the process: see docs/testing.md.
"""

from .asked import Asked
from .factories import MadeRequest, make_request, make_response
from .gem import Gem
from .hub import Hub
from .peer import Peer
from .virtual import StillWaiting

__all__ = ["Asked", "Gem", "Hub", "MadeRequest", "Peer", "StillWaiting", "make_request", "make_response"]
