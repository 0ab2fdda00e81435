"""How commands and replies travel on a connection: as bytes of RESP2, as a rule.

A server in the memory of this process takes commands and gives replies as they are. Nobody then writes and parses them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from redisipc.protocol.commands import Command

from .resp import Parser, make_parser, pack


class Wire(NamedTuple):
    """``pack`` makes of commands what a transport sends; a parser makes replies of what a transport receives.

    What travels has a length, and is empty only at the end of a connection.
    """

    pack: Callable[[list[Command]], Any]
    parser: Callable[[], Parser]


RESP2 = Wire(pack, make_parser)


def wire_of(beneath: Any) -> Wire:
    """The one that a socket or a transport names, as those of a hub do."""
    named: Wire = getattr(beneath, "redisipc_wire", RESP2)
    return named
