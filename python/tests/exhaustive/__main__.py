"""``python -m tests.exhaustive``: every configuration, then every rule taken out; a story for each property that broke."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from .causes import listed
from .configurations import CONFIGURATIONS
from .properties import PROPERTIES
from .rules import ELSEWHERE, RULES, without
from .running import HEADER, JOBS, RULE_HEADER, all_of, row, rule_row, totals, without_each
from .search import Result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.exhaustive", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="configuration", help=f"one of {', '.join(CONFIGURATIONS)}; all of them"
    )
    parser.add_argument("--jobs", type=int, default=JOBS, help="processes (2)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="processor time for each configuration")
    parser.add_argument("--without", choices=RULES, metavar="RULE", help="the story of what breaks without a rule")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - CONFIGURATIONS.keys())
    if unknown:
        parser.error(f"no configuration {', '.join(unknown)}; there are {', '.join(CONFIGURATIONS)}")
    if options.without:
        return _story(without(options.without))
    good = _configurations(options.names or CONFIGURATIONS, options.jobs, options.seconds)
    return int(not (good if options.names else _rules(options.jobs) and good))


def _configurations(names: Iterable[str], jobs: int, seconds: float) -> bool:
    """Whether all properties hold in all states of these configurations, as far as they were reached."""
    print("properties:")
    print("\n".join(f"  {name:<14} {says}" for name, says in PROPERTIES.items()))
    print(f"causes of a second start (schemas/1.0/tables/causes.json): {', '.join(listed())}\n\n{HEADER}")
    results: list[Result] = []
    for result in all_of(names, jobs, seconds):
        results.append(result)
        print(row(result), flush=True)
    print("\n".join(totals(results)))
    for result in results:
        _story(result)
    return all(result.complete and not result.broken for result in results)


def _rules(jobs: int) -> bool:
    """Whether each rule, taken out, has its counterexample."""
    print(RULE_HEADER)
    shown = True
    for rule, result in without_each(RULES, jobs):
        shown = shown and RULES[rule].breaks in result.broken
        print(rule_row(rule, result), flush=True)
    for rule, reason in ELSEWHERE.items():
        print(f"{rule:<27} not here: {reason}")
    return shown


def _story(result: Result) -> int:
    for found in result.found:
        print(f"\n{result.name}: {found.name}: {found.text}\n  {PROPERTIES[found.name]}")
        print("\n".join(f"  {line}" for line in found.story))
    return int(bool(result.found))


if __name__ == "__main__":
    sys.exit(main())
