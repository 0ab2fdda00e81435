"""The claims of a testee in ``hello``, and their rule: a profile needs those that it builds on (RIPC-CONF-3)."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from redisipc_conformance.files import schemas_folder

ROLES = ("requester", "responder")
"""The roles that are claimed by name. Absent: both."""
CALLER = "caller"
"""The role that comes with the profile `ask`."""
ASK = "ask"


@functools.cache
def needs() -> dict[str, tuple[str, ...]]:
    """Each profile of SPEC.md, in its order, with the profiles that it builds on."""
    data = json.loads((schemas_folder() / "1.0" / "tables" / "profiles.json").read_text("utf-8"))
    [table] = (table for table in data["tables"] if table["id"] == "profiles")
    return {row["id"]: tuple(row["needs"]) for row in table["rows"]}


@dataclass(frozen=True)
class Claims:
    """`roles`: those that follow from the profiles as well. `serial`: it does one thing at a time (RIPC-CONF-5)."""

    profiles: frozenset[str]
    features: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset(ROLES)
    serial: bool = False

    @classmethod
    def of(cls, hello: Mapping[str, Any]) -> Claims:
        """From the result of ``hello``."""
        profiles = frozenset(hello["profiles"])
        roles = roles_of(profiles, hello.get("roles", ROLES))
        return cls(profiles, frozenset(hello["features"]), frozenset(roles), bool(hello.get("serial", False)))


def roles_of(profiles: Iterable[str], named: Iterable[str]) -> tuple[str, ...]:
    """The roles that these claims mean: the named ones that a profile has, and the caller's."""
    claimed = set(profiles)
    return (*(named if claimed - {ASK} else ()), *((CALLER,) if ASK in claimed else ()))


def problem(hello: Mapping[str, Any]) -> str:
    """Why these claims cannot be judged, in a sentence. Empty if they can."""
    claimed = hello["profiles"]
    for profile in claimed:
        missing = [needed for needed in needs().get(profile, ()) if needed not in claimed]
        if missing:
            return (
                f"it claims the profile {profile} without {' and '.join(missing)}, on which {profile} builds; "
                f"claim {' and '.join(missing)} as well, or not {profile}"
            )
    if "roles" in hello and "base" not in claimed:
        return f"it claims the role {hello['roles'][0]} without the profile base; a caller claims the profile {ASK} and no role"
    return ""
