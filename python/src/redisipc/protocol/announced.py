"""Reads announcements of other instances. They may contain any text."""

from __future__ import annotations

import json
from typing import Any

_SPEC_MAJOR = "1"


def read(announced: Any) -> dict[str, Any]:
    """The content of an announcement; empty if malformed or of another major version (RIPC-VERS-4, RIPC-VERS-10)."""
    try:
        found = json.loads(announced)
    except (TypeError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    spec = found.get("spec")
    known = isinstance(spec, str) and spec.partition(".")[0] == _SPEC_MAJOR
    return found if known else {}
