"""Every value of the content fixtures, except those that a party is known not to carry."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from talk.scenes import CONTENTS

from .implementations import ROOT

FIXTURES = ROOT / "interop" / "fixtures" / "content"
COULD_BE_JSON = tuple('{["-0123456789tfn/')


def fixture_values() -> list[Any]:
    """The values that the gem read in the recorded texts, and the texts themselves; each value once."""
    found: dict[str, Any] = {json.dumps(value): value for value in CONTENTS}
    for path in sorted(FIXTURES.glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            for value in (case.get("read", {}).get("value"), case.get("text")):
                if _sayable(value):
                    found.setdefault(json.dumps(value), value)
    return list(found.values())


@dataclass(frozen=True)
class Contents:
    """The values that a pair must carry: in both directions, or in one, if the way back is known to change them."""

    both_ways: list[Any]
    one_way: list[Any]
    left_out: dict[str, int]
    """The number of omitted values, by reason."""


def for_pair(asker: str, responder: str, values: list[Any]) -> Contents:
    """A gem reads every string, and writes one that could be JSON as another value."""
    bare = [value for value in values if isinstance(value, str) and value.lstrip().startswith(COULD_BE_JSON)]
    reason = "strings that could be JSON, which the gem writes bare (GEM-5)"
    if "ruby" not in (asker, responder):
        return Contents(values, [], {})
    both_ways = [value for value in values if value not in bare or not isinstance(value, str)]
    if asker == "ruby":
        return Contents(both_ways, [], {f"{reason}: not sent": len(bare)})
    return Contents(both_ways, bare, {f"{reason}: looked at where they arrive, and not on the way back": len(bare)})


def _sayable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    try:
        json.dumps(value, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return True
