"""How much of the conformance suite passes over the model: ``python -m tests.testing.fidelity REPORT.json...``.

The reports are of ``redisipc-conformance run --redis model``, for one testee or several, in one part or several. It fails
where a testee passes fewer checks than ``fidelity.json`` says. A scenario that stands in several counts as in the last.
``--write`` stores the numbers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

STORED = Path(__file__).with_name("fidelity.json")
LEFT_OUT = {
    "announce/odd-one-is-served": "the suite waits with BLPOP, which the model lacks",
}
"""The scenarios that cannot be decided over the model, and why."""


def numbers(reports: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each testee: ``checks`` that apply to it, those that ``passed``, and the scenarios that ``failed`` one."""
    verdicts: dict[str, dict[str, list[str]]] = {}
    for report in reports:
        for run in report["runs"]:
            assert run["server"]["kind"] == "model", "these are numbers of the model"
            mine = verdicts.setdefault(run["testee"]["name"], {})
            for scenario in run["results"]:
                mine[scenario["id"]] = [
                    each["verdict"] for each in scenario["checks"] if each["verdict"] != "not-applicable"
                ]
    return {
        name: {
            "checks": sum(map(len, mine.values())),
            "passed": sum(found.count("pass") for found in mine.values()),
            "failed": sorted(scenario for scenario, found in mine.items() if found.count("pass") < len(found)),
        }
        for name, mine in sorted(verdicts.items())
    }


def stored() -> dict[str, dict[str, Any]]:
    """The content of ``fidelity.json``."""
    content: dict[str, dict[str, Any]] = json.loads(STORED.read_text("utf-8"))
    return content


def sentence() -> str:
    """The numbers as the documents print them."""
    each = stored()
    passed, checks = (sum(mine[what] for mine in each.values()) for what in ("passed", "checks"))
    return f"{passed} of {checks} checks"


def fallen(now: dict[str, dict[str, Any]], before: dict[str, dict[str, Any]]) -> list[str]:
    """Each testee that passes fewer checks than before."""
    return [
        f"{name}: {now[name]['passed']} checks pass, {mine['passed']} did; now fails: {', '.join(now[name]['failed'])}"
        for name, mine in before.items()
        if name in now and now[name]["passed"] < mine["passed"]
    ]


def main(arguments: list[str]) -> int:
    write = "--write" in arguments
    reports = [json.loads(Path(name).read_text("utf-8")) for name in arguments if name != "--write"]
    now = numbers(reports)
    for name, mine in now.items():
        print(
            f"{name}: {mine['passed']} of {mine['checks']} checks pass; failed in: {', '.join(mine['failed']) or 'none'}"
        )
    if write:
        STORED.write_text(json.dumps(now, indent=2) + "\n", "utf-8")
        return 0
    problems = fallen(now, stored())
    print("\n".join(problems))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
