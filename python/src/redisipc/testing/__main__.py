"""``python -m redisipc.testing``: the model of Redis as a process of its own. It is not Redis: it may lose data."""

from __future__ import annotations

import argparse
import pickle
import signal
import sys
import threading
from pathlib import Path

from .redis_model import PROFILES, REDIS_7
from .server import Server
from .tcp import Listener

SAVED = "model.pickle"


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM, SIGINT or the command SHUTDOWN."""
    parser = argparse.ArgumentParser(prog="python -m redisipc.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where it listens on 127.0.0.1 (default: a free port)")
    parser.add_argument("--dir", type=Path, default=None, help="where SHUTDOWN SAVE leaves the data for the next start")
    names = {profile.name: profile for profile in PROFILES}
    parser.add_argument("--like", choices=names, default=REDIS_7.name, help="whose ways it has")
    options = parser.parse_args(arguments)
    server, ended = Server(names[options.like]), threading.Event()
    saved = options.dir / SAVED if options.dir is not None else None
    if saved is not None and saved.exists():
        for database, (keys, expires) in pickle.loads(saved.read_bytes()).items():
            server.model(database).become(keys, expires)

    def end(save: bool) -> None:
        if save and saved is not None:
            state = {number: (model.keys, model.expires) for number, model in server.models.items()}
            saved.write_bytes(pickle.dumps(state))
        ended.set()

    server.on_shutdown = end
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    listener = Listener(server, options.port)
    print(f"the model of Redis, as {options.like}, at redis://127.0.0.1:{listener.port}/0", flush=True)
    ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
