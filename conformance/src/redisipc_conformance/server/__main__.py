"""`python -m redisipc_conformance.server [--redis KIND] [--redis-image IMAGE] -- COMMAND ...`: runs it with REDIS_URL set."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys

from . import NoServer, choose


def main(argv: list[str] | None = None) -> int:
    """Returns COMMAND's exit code, or 7 when there is no Redis."""
    parser = argparse.ArgumentParser(prog="python -m redisipc_conformance.server", description=__doc__)
    parser.add_argument(
        "--redis", default="auto", metavar="KIND", help="auto, container, local, embedded, model or a URL"
    )
    parser.add_argument("--redis-image", metavar="IMAGE", help="the container image (default redis:7)")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    options = parser.parse_args(argv)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    try:
        server = choose(options.redis, image=options.redis_image, say=lambda line: print(line, file=sys.stderr))
    except NoServer as error:
        print(f"No Redis: {error}", file=sys.stderr)
        return 7
    with server:
        if not command:
            print(server.url)
            return 0
        try:
            return run(command, {**os.environ, "REDIS_URL": server.url})
        except OSError as error:
            print(f"{command[0]} cannot be run: {error}", file=sys.stderr)
            return 127


def run(command: list[str], environment: dict[str, str]) -> int:
    """Runs it to its end, also if signals come: the server must exist until then, and be closed afterwards.

    SIGTERM is passed on. Ctrl-C reaches the command by itself. Returns its exit code, or 128 + N if signal N ended it.
    """
    process: subprocess.Popen[bytes] | None = None

    def hand_on(number: int, frame: object) -> None:
        if process is not None and number != signal.SIGINT:
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hand_on)
    process = subprocess.Popen(command, env=environment)
    code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
