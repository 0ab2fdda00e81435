"""The figures of ``interop/results/README.md``: for each row of SPEC.md's appendix A, how many checks the published run fails.

python interop/ruby/rows.py           prints the README with its figures of today
python interop/ruby/rows.py --write   writes it there
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "interop" / "results" / "ruby-redis_ipc-1.0.2.json"
README = ROOT / "interop" / "results" / "README.md"
LIST = ROOT / "interop" / "ruby" / "known-failures.yaml"
BEGIN, END = "<!-- begin rows: drawn by interop/ruby/rows.py -->\n", "<!-- end rows -->"


def appendix() -> dict[str, tuple[str, str]]:
    """The rows of SPEC.md's appendix A, each with what the gem does, and the statements that it breaks."""
    text = (ROOT / "SPEC.md").read_text(encoding="utf-8")
    part = text[text.index("## Appendix A") : text.index("## Appendix B")]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| GEM-")]
    return {row[0]: (row[1], row[2]) for row in rows}


@functools.cache
def known() -> list[dict[str, Any]]:
    """The entries of the list of known failures."""
    entries: list[dict[str, Any]] = YAML(typ="safe").load(LIST)["known_failures"]
    return entries


@functools.cache
def published(path: Path = RESULT) -> dict[str, Any]:
    """A published run, as the suite wrote it."""
    [run] = json.loads(path.read_text(encoding="utf-8"))["runs"]
    assert isinstance(run, dict)
    return run


def failing() -> dict[str, set[str]]:
    """The rows, each with the ``scenario/check`` of the failures that it explains."""
    rows = {entry["id"]: re.findall(r"GEM-\d+", entry["spec"]) for entry in known()}
    found: dict[str, set[str]] = defaultdict(set)
    for result in published()["results"]:
        for check in result["checks"]:
            if check["verdict"] == "known":
                name = f"{result['id']}/{check['name']}"
                for row in [*rows.get(name, ()), *rows.get(result["id"], ())]:
                    found[row].add(name)
    return found


def sums() -> str:
    """How many checks the run has, and with which verdicts."""
    run = published()
    checks = [check for result in run["results"] for check in result["checks"]]
    of = Counter(check["verdict"] for check in checks)
    behind = sum(check["verdict"] == "known" and check["message"].startswith("not reached") for check in checks)
    return (
        f"{len(checks)} checks in {len(run['results'])} scenarios: {of['pass']} pass, {of['known']} fail as known, and"
        f" {of['not-applicable']} are not applicable (optional features, and the profile `ask`).\n"
        f"{len(checks) - of['pass'] - of['known'] - of['not-applicable']} have another verdict."
        f" Of the {of['known']}, {behind} were not reached behind a check that failed.\n\n"
    )


def table() -> str:
    """The Markdown table."""
    found = failing()
    lines = [
        "| row of [appendix A](../../SPEC.md#appendix-a-where-the-gem-102-deviates) | checks | scenarios | the gem |",
        "| --- | --- | --- | --- |",
    ]
    for row, (says, _) in appendix().items():
        checks = found.get(row, set())
        scenarios = {name.rsplit("/", 1)[0] for name in checks}
        lines.append(f"| {row} | {len(checks) or '-'} | {len(scenarios) or '-'} | {says} |")
    return "\n".join(lines) + "\n"


def drawn() -> str:
    """The README with its figures of today. Raises ValueError where its marks are gone."""
    text = README.read_text(encoding="utf-8")
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:begin] + sums() + table() + text[end:]


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        README.write_text(drawn(), encoding="utf-8")
    else:
        print(drawn(), end="")
