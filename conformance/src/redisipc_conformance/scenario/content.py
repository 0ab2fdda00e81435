"""The content of an entry, as SPEC.md section 5 has it: a value to text, a text to a value."""

from __future__ import annotations

import re
from typing import Any

from .. import jsontext

DEEPEST = 100
"""The deepest nesting that still counts as JSON."""
_FIRST = frozenset('{["-0123456789tfn/')
_LONE = re.compile("[\ud800-\udfff]")


def encode(value: Any) -> bytes:
    """The text that a sender writes."""
    if isinstance(value, str) and value.lstrip(" \t\n\r")[:1] not in _FIRST:
        return value.encode("utf-8", "surrogatepass")
    return jsontext.dumps(value).encode()


def decode(raw: bytes) -> Any:
    """The value that a reader gets. A text that is not JSON is the string itself."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")
    try:
        value = jsontext.loads(text)
    except ValueError:
        return text
    # Examining every member of a large value is expensive, and rarely necessary.
    suspicious = "\\u" in text or text.count("[") + text.count("{") > DEEPEST
    return text if suspicious and _not_json(value) else value


def _not_json(value: Any) -> bool:
    """Nested too deeply, or with half of a surrogate pair."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                if _LONE.search(item):
                    return True
            elif isinstance(item, dict):
                if any(_LONE.search(key) for key in item):
                    return True
                below.extend([*item.values(), None])
            elif isinstance(item, list):
                below.extend([*item, None])
        if not below:
            return False
        level = below
    return True
