"""Every value of the content fixtures, less what a party is known not to carry."""

from __future__ import annotations

import json
import math
from typing import Any

from talk.scenes import CONTENTS

from .implementations import ROOT

FIXTURES = ROOT / "interop" / "fixtures" / "content"
EXACT = 2**53 - 1
COULD_BE_JSON = tuple('{["-0123456789tfn/')


def fixture_values() -> list[Any]:
    """What the gem read in each text that was recorded, and the texts themselves; each value once."""
    found: dict[str, Any] = {json.dumps(value): value for value in CONTENTS}
    for path in sorted(FIXTURES.glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            for value in (case.get("read", {}).get("value"), case.get("text")):
                if _sayable(value):
                    found.setdefault(json.dumps(value), value)
    return list(found.values())


def for_pair(languages: set[str], values: list[Any]) -> tuple[list[Any], dict[str, int]]:
    """What this pair is asked to carry, and how many values were left out for which reason."""
    kept, left_out = [], {"strings that could be JSON, which the gem writes bare (GEM-5)": 0,
                          "integers beyond 2^53, which Node.js reads inexactly (RIPC-CONTENT-10)": 0}  # fmt: skip
    bare, inexact = left_out
    for value in values:
        if "ruby" in languages and isinstance(value, str) and value.lstrip().startswith(COULD_BE_JSON):
            left_out[bare] += 1
        elif "node" in languages and _has_large(value):
            left_out[inexact] += 1
        else:
            kept.append(value)
    return kept, {reason: count for reason, count in left_out.items() if count}


def _sayable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    try:
        json.dumps(value, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def _has_large(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_large, value))
    if isinstance(value, dict):
        return any(map(_has_large, value.values()))
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) > EXACT
