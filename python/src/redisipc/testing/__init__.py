"""Tests of programs that use RedisIPC, without a Redis. Nothing of it is loaded with ``redisipc``.

It is the real library, over a model of Redis in the memory of the process: see docs/testing.md.
"""

from .hub import Hub

__all__ = ["Hub"]
