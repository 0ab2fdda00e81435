"""gRPC with threads: from process to process, without a server in between. Nothing is stored."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from ..asking import Ask, echo, in_threads
from .meeting import forget, port_of, tell

HANDLERS = 64
"""The number of threads of the server, the same as the default of the library."""


def write(value: Any) -> bytes:
    return json.dumps(value).encode()


def method(handle: Any) -> Any:
    """The one method, with JSON as the content."""
    import grpc

    handler = grpc.unary_unary_rpc_method_handler(handle, request_deserializer=json.loads, response_serializer=write)
    return grpc.method_handlers_generic_handler("bench", {"echo": handler})


class Asked:
    """The argument of a handler."""

    def __init__(self, content: Any) -> None:
        self.content = content


def serve(url: str, name: str, ready: Any, work: float = 0.0, **_options: Any) -> None:
    import grpc

    handle = echo(work)
    server = grpc.server(ThreadPoolExecutor(HANDLERS), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((method(lambda content, _context: handle(Asked(content))),))
    tell(name, server.add_insecure_port("127.0.0.1:0"))
    server.start()
    ready()
    threading.Event().wait()


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    import grpc

    with grpc.insecure_channel(f"127.0.0.1:{port_of(name)}") as channel:
        forget(name)
        call = channel.unary_unary("/bench/echo", request_serializer=write, response_deserializer=json.loads)
        yield in_threads(lambda payload: call(payload, timeout=60))
