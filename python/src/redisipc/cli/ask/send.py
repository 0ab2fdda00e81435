"""``redisipc send GROUP [CONTENT]``."""

from __future__ import annotations

import argparse

from redisipc.cli.options import Given
from redisipc.cli.values import content

from .requesting import add_asking, ask_all


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    parser.add_argument("group", metavar="GROUP", help="the group that is asked")
    parser.add_argument(
        "content", metavar="CONTENT", nargs="?", type=content, default=b"null",
        help="JSON or text; - reads stdin, @FILE a file (default: null). It is sent as it is.",
    )  # fmt: skip
    add_asking(parser)
    parser.epilog = "examples:\n  redisipc send stock '{\"sku\": 1}'\n  redisipc send stock @order.json --timeout 30s"


def run(given: Given) -> int:
    """Ask, and print each answer."""
    return ask_all(given, given.args.content, given.args.group)
