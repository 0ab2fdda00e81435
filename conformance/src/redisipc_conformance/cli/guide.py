"""``requirements``: what to hold, in the order in which to build it, and the scenarios that ask for it."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence

from ..guide import Phase, phases, roles_in, with_needed
from ..requirements import Requirements
from ..scenario.corpus import corpus
from ..scenario.model import Scenario
from ..text import without_links
from ..verdict.profiles import Exit
from .problem import Problem

_WIDTH = 110
_MOST_CHECKS_NAMED = 4


def requirements(options: argparse.Namespace) -> int:
    """Prints the phases, or the same as JSON."""
    named = tuple(name for given in options.profile for name in given.split(",")) or ("base",)
    try:
        profiles = with_needed(named)
    except ValueError as error:
        raise Problem(Exit.USAGE, str(error)) from error
    roles = tuple(options.role) or roles_in(profiles)
    strange = [role for role in roles if role not in roles_in(profiles)]
    if strange:
        there = ", ".join(roles_in(profiles))
        raise Problem(Exit.USAGE, f"the profiles {', '.join(profiles)} have no role {strange[0]}; they have {there}")
    found = phases(Requirements.load(), profiles, roles)
    proofs = _proofs([scenario for scenario in corpus() if scenario.profile in profiles])
    if options.json:
        print(json.dumps(_data(found, proofs), ensure_ascii=False, indent=1))
        return Exit.CONFORMANT
    print(f"To claim {', '.join(profiles)} as {', '.join(roles)}, in the order in which to build it:")
    for number, phase in enumerate(found, 1):
        print(f"\n{number}. {phase.title}")
        for each in phase.statements:
            first = f"   {each.id} {each.level}{_feature(each.feature)}: "
            print(textwrap.fill(without_links(each.text), _WIDTH, initial_indent=first, subsequent_indent=" " * 6))
            print(f"      {_proved(proofs.get(each.id, []), each.reason)}")
    musts = [each for phase in found for each in phase.statements if each.level == "MUST"]
    total = sum(len(phase.statements) for phase in found)
    print(f"\n{total} statements, {len(musts)} of them MUST. SPEC.md has each under its id.")
    return Exit.CONFORMANT


def _feature(feature: str | None) -> str:
    return f" (feature {feature})" if feature else ""


def _proved(scenarios: Sequence[str], reason: str) -> str:
    if not scenarios:
        return f"not tested: {reason}" if reason else "not tested in these profiles"
    more = f" and {len(scenarios) - _MOST_CHECKS_NAMED} more" if len(scenarios) > _MOST_CHECKS_NAMED else ""
    return f"tested by {', '.join(scenarios[:_MOST_CHECKS_NAMED])}{more}"


def _proofs(scenarios: Sequence[Scenario]) -> dict[str, list[str]]:
    """The scenarios that check each statement, the simple ones first."""
    found: dict[str, list[str]] = {}
    for scenario in sorted(scenarios, key=lambda each: (len(each.needs), len(each.steps), each.id)):
        for id in dict.fromkeys(id for check in scenario.checks for id in check.requirements):
            found.setdefault(id, []).append(scenario.id)
    return found


def _data(found: Sequence[Phase], proofs: dict[str, list[str]]) -> list[dict[str, object]]:
    return [
        {
            "stage": phase.title,
            "statements": [
                {
                    "id": each.id,
                    "level": each.level,
                    "role": each.role,
                    "profile": each.profile,
                    "feature": each.feature,
                    "text": each.text,
                    "anchor": each.anchor,
                    "scenarios": proofs.get(each.id, []),
                    "not_tested": each.reason,
                }
                for each in phase.statements
            ],
        }
        for phase in found
    ]
