"""The protocol as data: no Redis client, no threads, no event loop, no clock.

Everything that RedisIPC decides is decided here. A runtime hands in replies, failures, calls of the user and the time;
it gets Redis commands to send, events to act on and the moment at which to ask again. See ``endpoint.Endpoint``.
"""
