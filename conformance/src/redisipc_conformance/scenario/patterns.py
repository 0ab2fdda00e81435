"""Regular expressions of scenarios: they mean the same in every language, and end soon."""

from __future__ import annotations

import importlib
import re
import sys
from functools import lru_cache
from typing import Any

_PARSER: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")
_END = re.compile(r"((?<!\\)(?:\\\\)*)\$(?=\)|\||\Z)")
"""A `$` at the end of an alternative that no backslash escapes."""
_REPEATS = (_PARSER.MAX_REPEAT, _PARSER.MIN_REPEAT)


@lru_cache(maxsize=1024)
def pattern(written: str) -> re.Pattern[str]:
    """A regular expression, in which `$` means the end of the text alone, as in other languages: Python's also means the
    place before a line feed that ends it. Raises ValueError for a text that is not one, or that may run for ever."""
    try:
        made = _END.sub(r"\1\\Z", written)
        compiled = re.compile(made)
        if _nested(_PARSER.parse(made), within=False):
            raise ValueError(f"{written!r} repeats what itself repeats without an end, which may take for ever")
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{written!r} is not a regular expression: {error}") from error
    return compiled


def _nested(parsed: Any, *, within: bool) -> bool:
    """Whether a repeat without an end stands in another one."""
    for name, arguments in parsed:
        endless = name in _REPEATS and arguments[1] == _PARSER.MAXREPEAT
        if endless and within:
            return True
        if any(_nested(part, within=within or endless) for part in _parts(arguments)):
            return True
    return False


def _parts(arguments: Any) -> list[Any]:
    if isinstance(arguments, _PARSER.SubPattern):
        return [arguments]
    if isinstance(arguments, (tuple, list)):
        return [part for each in arguments for part in _parts(each)]
    return []
