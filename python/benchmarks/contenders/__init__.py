"""The contenders. Each has a module with ``serve`` (a responder that never returns) and ``ask`` (which sends the requests).

A contender with ``COMMAND`` is a program in another language. It takes the arguments of a worker, and exchanges the same lines.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from types import ModuleType
from typing import NamedTuple


class Contender(NamedTuple):
    """``needs``: packages without which it is left out. ``most``: the greatest number of requests at once."""

    name: str
    title: str
    needs: tuple[str, ...] = ()
    most: int = 1
    hiredis: bool = True
    uvloop: bool = False


CONTENDERS = (
    Contender("floor_streams", "floor: two streams, bare redis-py"),
    Contender("floor_lists", "floor: two lists, bare redis-py"),
    Contender("floor_protocol", "floor: this protocol's commands, bare redis-py"),
    Contender("redisipc_threads", "redisipc, threads", most=64),
    Contender("redisipc_threads_plain", "redisipc, threads, without hiredis", hiredis=False),
    Contender("redisipc_asyncio", "redisipc, asyncio", most=1000),
    Contender("redisipc_asyncio_plain", "redisipc, asyncio, without hiredis", hiredis=False),
    Contender("redisipc_asyncio_uvloop", "redisipc, asyncio, uvloop", ("uvloop",), most=256, uvloop=True),
    Contender("nats", "nats-py, nothing stored", ("nats",), most=256),
    Contender("nats_uvloop", "nats-py, uvloop, nothing stored", ("nats", "uvloop"), most=256, uvloop=True),
    Contender("grpc_threads", "gRPC, threads, nothing between", ("grpc",), most=64),
    Contender("grpc_asyncio", "gRPC, asyncio, nothing between", ("grpc",), most=256),
    Contender("clamator", "clamator-over-redis", ("clamator_over_redis",), most=64),
    Contender("faststream", "FastStream Redis request()", ("faststream", "redis"), most=16),
    Contender("celery", "celery delay().get()", ("celery", "redis"), most=16),
    Contender("gem", "the gem redis_ipc (Ruby)"),
)
BY_NAME = {contender.name: contender for contender in CONTENDERS}


def module_of(name: str) -> ModuleType:
    """The module of a contender. Those with ``_plain`` and ``_uvloop`` share the module of their twin."""
    return importlib.import_module(f"benchmarks.contenders.{name.removesuffix('_plain').removesuffix('_uvloop')}_")


def missing(contender: Contender) -> str:
    """The reason why it cannot run here; empty if it can."""
    for package in contender.needs:
        if find_spec(package) is None:
            return f"the package {package} is not installed"
    check = getattr(module_of(contender.name), "missing", None)
    return check() if check is not None else ""
