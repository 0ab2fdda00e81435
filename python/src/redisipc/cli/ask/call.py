"""``redisipc call GROUP EVENT [name=value ...]``."""

from __future__ import annotations

import argparse

from redisipc.cli.options import Given
from redisipc.cli.values import parameter
from redisipc.protocol.content import encode

from .requesting import add_asking, ask_all


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    parser.add_argument("group", metavar="GROUP", help="the channel, which is a group")
    parser.add_argument("event", metavar="EVENT", help="the event that is triggered")
    parser.add_argument(
        "params",
        metavar="NAME=VALUE",
        nargs="*",
        type=parameter,
        help="parameters; a value that is not JSON is a string",
    )
    add_asking(parser)
    parser.epilog = 'example:\n  redisipc call stock reserve sku=1 note=urgent tags=\'["a","b"]\''


def run(given: Given) -> int:
    """Trigger the event, and print each answer (RIPC-CHAN-1, RIPC-CHAN-2, RIPC-CHAN-17)."""
    meta = {"timeout_ms": max(1, round(given.timeout * 1000))}
    content = encode({"event": given.event, "params": dict(given.params), "meta": meta})
    return ask_all(given, content, given.args.group, given.event)
