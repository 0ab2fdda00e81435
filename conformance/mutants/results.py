"""What a whole run came to: ``results.json``, which the coverage reads, and ``results.md``, which people read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalogue import HERE, Mutant
from hunt import Fate

from redisipc_conformance.requirements import Requirements

FILE = HERE / "results.json"
TABLE = HERE / "results.md"
_HEAD = "| mutant | fault | requirement | caught by |\n| --- | --- | --- | --- |\n"


@dataclass
class Stored:
    """What ``results.json`` says of mutants and checks that are still what they were."""

    fates: dict[str, Fate] = field(default_factory=dict)
    right: set[str] = field(default_factory=set)
    """The checks that the model passed."""


def stored(mutants: Iterable[Mutant], checks: Iterable[str]) -> Stored:
    """Of these mutants and checks; what has changed since counts as not judged."""
    data = json.loads(FILE.read_text("utf-8"))
    rows = {row["name"]: row for row in data["mutants"]}
    found = Stored()
    for mutant in mutants:
        row = rows.get(mutant.name)
        if row is not None and (row["breaks"], row["caught_by"]) == (list(mutant.breaks), list(mutant.caught_by)):
            found.fates[mutant.name] = Fate(mutant, row["verdict"], "", row["server"])
    ran = {f"{scenario}/{check}" for scenario, named in data["ran"].items() for check in named}
    found.right = ran & set(checks)
    return found


def without_mutant(fates: Sequence[Fate], requirements: Requirements) -> list[str]:
    """Testable MUSTs that no killed mutant stands for."""
    covered = {id for fate in fates if fate.verdict == "killed" for id in fate.mutant.breaks}
    return [r.id for r in requirements if r.level == "MUST" and r.testable and r.id not in covered]


def plain(fates: Sequence[Fate]) -> str:
    """Mutant, requirement, caught by: for the terminal."""
    width = max((len(fate.mutant.name) for fate in fates), default=0)
    return "\n".join(
        f"{fate.mutant.name:{width}}  {', '.join(fate.mutant.breaks):28}  {_caught(fate)}" for fate in fates
    )


def _caught(fate: Fate) -> str:
    return ", ".join(fate.mutant.caught_by) if fate.verdict == "killed" else f"{fate.verdict.upper()}: {fate.seen}"


def write(fates: Sequence[Fate], right: Iterable[str], vacuous: Sequence[str], gaps: Sequence[str]) -> None:
    """Both files. ``right``: the checks that the model passes. Nothing changes from run to run unless a verdict does."""
    rows = [
        {
            "name": fate.mutant.name,
            "breaks": list(fate.mutant.breaks),
            "fault": fate.mutant.fault,
            "caught_by": list(fate.mutant.caught_by),
            "verdict": fate.verdict,
            "server": fate.server,
        }
        for fate in fates
    ]
    ran: dict[str, list[str]] = {}
    for id in sorted(right):
        scenario, _, check = id.rpartition("/")
        ran.setdefault(scenario, []).append(check)
    data = {"mutants": rows, "ran": ran, "null_passes": list(vacuous), "must_without_mutant": list(gaps)}
    FILE.write_text(_compact(data) + "\n", "utf-8")
    TABLE.write_text(_page(fates, vacuous), "utf-8")


def _compact(data: dict[str, Any]) -> str:
    """A line for each mutant and each scenario."""
    parts = []
    for key, value in data.items():
        if isinstance(value, dict):
            body = ",\n".join(f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items())
            parts.append(f"{json.dumps(key)}: {{\n{body}\n}}")
        else:
            body = ",\n".join(f" {json.dumps(each, ensure_ascii=False)}" for each in value)
            parts.append(f"{json.dumps(key)}: [\n{body}\n]" if value else f"{json.dumps(key)}: []")
    return "{\n" + ",\n".join(parts) + "\n}"


def _page(fates: Sequence[Fate], vacuous: Sequence[str]) -> str:
    killed = sum(fate.verdict == "killed" for fate in fates)
    head = (
        "# Which check catches which mutant\n\n"
        "Made by `make mutants`; not to be edited.\n\n"
        f"{killed} of {len(fates)} mutants are killed. "
        f"The null testee passes {len(vacuous) or 'no'} check{'s' if len(vacuous) > 1 else ''} of a MUST.\n\n"
    )
    lines = [
        f"| {fate.mutant.name} | {_cell(fate.mutant.fault)} | {'<br>'.join(fate.mutant.breaks)} "
        f"| {_cell(_caught(fate)).replace(', ', '<br>')} |"
        for fate in fates
    ]
    return head + _HEAD + "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
