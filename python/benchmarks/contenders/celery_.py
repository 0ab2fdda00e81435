"""celery: ``delay().get()`` with a worker of threads, Redis as broker and as backend."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..asking import Ask, in_threads


def _app(url: str, name: str) -> tuple[Any, Any]:
    from celery import Celery

    app = Celery(name, broker=url, backend=url)
    app.conf.update(task_default_queue=name, worker_send_task_events=False, broker_connection_retry_on_startup=True)

    @app.task(name="echo")
    def echo(content: Any) -> Any:
        return content

    return app, echo


def serve(url: str, name: str, ready: Any, **_options: Any) -> None:
    from celery.signals import worker_ready

    logging.disable(logging.CRITICAL)
    app, _ = _app(url, name)
    worker_ready.connect(lambda **_: ready(), weak=False)
    app.worker_main(["worker", "--pool=threads", "--concurrency=16", "--loglevel=CRITICAL", "--without-gossip",
                     "--without-mingle", "--without-heartbeat"])  # fmt: skip


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    app, echo = _app(url, name)
    yield in_threads(lambda payload: echo.delay(payload).get(timeout=10))
    app.close()
