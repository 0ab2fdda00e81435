"""Reads announcements of other instances. They may contain any text."""

from __future__ import annotations

import json
from typing import Any

from .json_text import no_constant

_SPEC_MAJOR = "1"


def read(announced: Any) -> dict[str, Any]:
    """The content of an announcement; empty if malformed or of another major version (RIPC-VERS-4, RIPC-VERS-10)."""
    try:
        # From bytes, Python's reader would guess the encoding, and accept UTF-16.
        text = announced.decode() if isinstance(announced, bytes) else announced
        found = json.loads(text, parse_constant=no_constant)
    except (TypeError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    spec = found.get("spec")
    known = isinstance(spec, str) and spec.partition(".")[0] == _SPEC_MAJOR
    return found if known else {}
