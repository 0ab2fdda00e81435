"""Conditions on a server's version: ``>=7.2``, ``<7``, ``>=7,<8``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

_CONDITION = re.compile(r"^\s*(>=|<=|==|<|>)\s*([0-9]+(?:\.[0-9]+)*)\s*$")
_HOLDS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}


def version_holds(condition: str, version: str) -> bool:
    """Whether the version fulfils every part of the condition; an empty one always holds.

    Only the numbers of the condition are compared: 7.0.15 is ``==7.0`` and ``<=7``, and not ``>7``. Raises ValueError
    for a malformed condition.
    """
    numbers = tuple(int(part) for part in re.findall(r"\d+", version))
    for part in filter(None, condition.split(",")):
        match = _CONDITION.match(part)
        if match is None:
            raise ValueError(f"{part!r} is not a condition on a version: expected one such as '>=7.2'")
        wanted = tuple(int(number) for number in match[2].split("."))
        padded = (numbers + (0,) * len(wanted))[: len(wanted)]
        if not _HOLDS[match[1]](padded, wanted):
            return False
    return True
