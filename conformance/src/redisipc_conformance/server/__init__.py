"""Decides in one place which Redis is used by the suite, the library's tests and the demo.

    with choose() as server:              # REDIS_URL, container, redis-server on the PATH, embedded
        client = redis.Redis.from_url(server.url)

`python -m redisipc_conformance.server -- COMMAND` runs COMMAND with REDIS_URL set.
"""

from .base import NoServer, Server
from .choose import choose, private, program, start
from .local import die_with_parent

__all__ = ["NoServer", "Server", "choose", "die_with_parent", "private", "program", "start"]
