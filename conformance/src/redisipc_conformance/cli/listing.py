"""``list`` and ``show``: the content of the suite."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable

from ..requirements import Requirements
from ..scenario.corpus import corpus, named_checks
from ..scenario.demands import at_once, roles_of
from ..scenario.model import Scenario
from ..scenario.selection import Selection, SelectionError, select
from ..verdict.profiles import Exit
from .problem import Problem


def about(scenario: Scenario) -> Iterable[str]:
    """The texts in which a ``-k`` word may occur, besides id, title and profile."""
    yield from scenario.needs
    if scenario.thorough:
        yield "thorough"
    yield from scenario.features
    yield from roles_of(scenario)
    yield from scenario.requirements
    for named in named_checks(scenario):
        yield named.id
        yield from named.check.requirements


def chosen(
    options: argparse.Namespace, scenarios: list[Scenario], failed: frozenset[str] | None = None
) -> tuple[list[Scenario], Selection]:
    """The scenarios that the command line means. Raises Problem."""
    profiles = tuple(name for given in options.profile for name in given.split(","))
    thorough = getattr(options, "thorough", True)
    selection = Selection(tuple(options.scenarios), profiles, options.words, failed, thorough)
    try:
        return select(scenarios, selection, about), selection
    except SelectionError as error:
        raise Problem(Exit.USAGE, str(error)) from error


def list_scenarios(options: argparse.Namespace) -> int:
    found, _ = chosen(options, corpus())
    if options.json:
        print(json.dumps([_data(scenario) for scenario in found], ensure_ascii=False, indent=1))
        return Exit.CONFORMANT
    width = max((len(scenario.id) for scenario in found), default=0)
    for scenario in found:
        marks = [*sorted(scenario.needs), *(["thorough"] if scenario.thorough else [])]
        needs = f"  [{', '.join(marks)}]" if marks else ""
        print(f"{scenario.id:<{width}}  {scenario.profile:<9}  {scenario.title}{needs}")
        if options.checks:
            for named in named_checks(scenario):
                print(f"    {named.id.rsplit('/', 1)[1]}: {named.text} ({', '.join(named.check.requirements)})")
    checks = sum(len(list(named_checks(scenario))) for scenario in found)
    print(
        f"{len(found)} {'scenario' if len(found) == 1 else 'scenarios'} with {checks} {'check' if checks == 1 else 'checks'}"
    )
    return Exit.CONFORMANT if found else Exit.NOTHING_CHECKED


def _data(scenario: Scenario) -> dict[str, object]:
    return {
        "id": scenario.id,
        "title": scenario.title,
        "profile": scenario.profile,
        "needs": sorted(scenario.needs),
        "thorough": scenario.thorough,
        "features": list(scenario.features),
        "roles": sorted(roles_of(scenario)),
        "parallel": at_once(scenario),
        "server": scenario.server,
        "file": scenario.file,
        "checks": [
            {"id": named.id, "text": named.text, "requirements": list(named.check.requirements)}
            for named in named_checks(scenario)
        ],
    }


def show(options: argparse.Namespace) -> int:
    """The requirements in full, then the file as it is."""
    scenarios = corpus()
    match = next((each for each in scenarios if options.scenario in (each.id, *each.formerly)), None)
    if match is None:
        near = [each.id for each in scenarios if options.scenario.split("/")[-1] in each.id][:5]
        hint = f"; there are {', '.join(near)}" if near else "; `redisipc-conformance list` shows them all"
        raise Problem(Exit.USAGE, f"no scenario is called {options.scenario}{hint}")
    print(f"{match.id}: {match.title}\n{match.file}")
    if match.about:
        print(f"\n{match.about.strip()}")
    requirements = Requirements.load()
    ids = dict.fromkeys(id for check in match.checks for id in check.requirements)
    if ids:
        print("\nProves")
    for id in ids:
        sentence = requirements.get(id)
        print(f"  {id}" + (f" {sentence.level}: {sentence.text}" if sentence else ""))
    print(f"\n{match.text.rstrip()}")
    return Exit.CONFORMANT
