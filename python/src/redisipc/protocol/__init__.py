"""The protocol as data: no Redis client, no threads, no event loop, no clock.

This package makes all decisions of RedisIPC. A runtime hands in replies, failures, calls of the user and the time. It
gets back Redis commands to send, events to act on and the time at which to ask again. See ``endpoint.Endpoint``.
"""
