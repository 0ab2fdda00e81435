"""The start of each worker in Python: its configuration, its history, the library's log, and the commands of the harness."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from .rows import Rows


class LogRows(logging.Handler):
    """Writes the log of the library as rows."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(logging.INFO)
        self._rows = rows

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text += f" | {record.exc_info[1]!r}"
        self._rows("log", record.levelname, text[:400])


def begin(runtime: str) -> tuple[dict[str, Any], Rows]:
    """The configuration in the first argument, and the history that it names."""
    config: dict[str, Any] = json.loads(sys.argv[1])
    rows = Rows(config["history"])
    rows("begin", config["process"], os.getpid(), runtime, config["group"], config["concurrency"])
    for name in ("redisipc", "asyncio"):
        logger = logging.getLogger(name)
        logger.addHandler(LogRows(rows))
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return config, rows


def say(word: str) -> None:
    """Sends a word to the harness: ``up`` or ``idle``."""
    try:
        os.write(1, f"{word}\n".encode())
    except OSError:
        pass


def listen(quiet: Callable[[], object], hush: Callable[[float], object]) -> None:
    """Follows the commands of the harness. ``quiet`` ends the requests, ``hush 3`` stops them for 3 s. If the pipe closes,
    the harness is gone, and this process ends."""

    def hear() -> None:
        for line in sys.stdin:
            word, _, seconds = line.strip().partition(" ")
            if word == "quiet":
                quiet()
            elif word == "hush":
                hush(float(seconds))
        os._exit(3)

    threading.Thread(target=hear, daemon=True, name="word").start()


def client_of(config: dict[str, Any], kind: Any) -> dict[str, Any]:
    """Where Redis is, as arguments of a Stream; ``kind``: the package ``redis`` or ``redis.asyncio``."""
    if "sentinels" in config:
        sentinel = kind.sentinel.Sentinel([tuple(each) for each in config["sentinels"]])
        return {"client": sentinel.master_for(config["master"])}
    if "nodes" in config:
        nodes = [kind.cluster.ClusterNode(host, port) for host, port in config["nodes"]]
        return {"client": kind.cluster.RedisCluster(startup_nodes=nodes)}
    return {"url": config["url"]}
