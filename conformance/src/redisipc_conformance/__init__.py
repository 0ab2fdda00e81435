"""Conformance suite for RedisIPC: drives any implementation through scripted scenarios over a real Redis."""

from .version import SPEC_VERSION, __version__

__all__ = ["SPEC_VERSION", "__version__"]
