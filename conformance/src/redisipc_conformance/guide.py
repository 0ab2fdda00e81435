"""The statements that a port must fulfil for its claimed profiles and roles, in the order of building."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .files import schemas_folder
from .requirements import Requirement, Requirements
from .testee.claims import ASK, CALLER, ROLES, needs

ORDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("names and keys", ("NAME",)),
    ("the entry", ("ENTRY",)),
    ("content", ("CONTENT",)),
    ("Redis", ("REDIS",)),
    ("connect, stay, leave", ("LIFE",)),
    ("read and route", ("ROUTE",)),
    ("ask without a group", ("ASK",)),
    ("ask", ("REQ",)),
    ("timeouts", ("TIME",)),
    ("answer", ("RESP",)),
    ("odd entries", ("ODD",)),
    ("several instances", ("GROUP",)),
    ("versions and the announcement", ("VERS",)),
    ("channels", ("CHAN",)),
    ("recovery", ("RECOV",)),
    ("security", ("SEC",)),
    ("the port", ("CONF",)),
)
"""The phases of building: each can be tried before the next is begun. The words are the areas in the statements' ids."""
_EVERYBODY = ("sender", "reader")
_ENDPOINT = ("endpoint", "member", "channel", "port")
_RANK = {"MUST": 0, "SHOULD": 1, "MAY": 2}


@dataclass(frozen=True)
class Phase:
    """One phase: its statements, those that are mandatory first."""

    title: str
    statements: tuple[Requirement, ...]


def with_needed(profiles: Iterable[str]) -> tuple[str, ...]:
    """These profiles and those that they build on, in SPEC.md's order. Raises ValueError for an unknown one."""
    wanted = set(profiles)
    unknown = sorted(wanted - needs().keys())
    if unknown:
        raise ValueError(f"there is no profile {unknown[0]}; there are {', '.join(needs())}")
    for profile in tuple(wanted):
        wanted.update(needs()[profile])
    return tuple(name for name in needs() if name in wanted)


def phases(requirements: Requirements, profiles: Sequence[str], roles: Sequence[str]) -> list[Phase]:
    """The statements that bind these roles in these profiles. The profiles that they build on are not added here."""
    bound = {each.id: each for each in requirements if _binds(each, profiles, roles)}
    found = []
    for title, areas in ORDER:
        chosen = [each for each in bound.values() if each.id.split("-")[1] in areas]
        if chosen:
            found.append(Phase(title, tuple(sorted(chosen, key=lambda each: _RANK[each.level]))))
    return found


def _binds(statement: Requirement, profiles: Sequence[str], roles: Sequence[str]) -> bool:
    if ASK in profiles and (statement.profile == ASK or statement.id in _of_a_caller()):
        return True
    if statement.profile not in profiles or statement.profile == ASK:
        return False
    claimed = [role for role in roles if role in ROLES]
    return statement.role in (*claimed, *((*_EVERYBODY, *_ENDPOINT) if claimed else ()))


def _of_a_caller() -> frozenset[str]:
    """Statements of the profile `base` that bind a caller, too."""
    data = json.loads((schemas_folder() / "1.0" / "tables" / "profiles.json").read_text("utf-8"))
    [table] = (table for table in data["tables"] if table["id"] == ASK)
    return frozenset(id for row in table["rows"] for id in row["requirements"])


def roles_in(profiles: Sequence[str]) -> tuple[str, ...]:
    """The roles that can be claimed in these profiles."""
    return (*(ROLES if any(profile != ASK for profile in profiles) else ()), *((CALLER,) if ASK in profiles else ()))
