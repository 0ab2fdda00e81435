"""The failures that ``docs/reading-reports.md`` prints: their statements, checks and lines are those of today."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "conformance" / "docs" / "reading-reports.md").read_text("utf-8")
SHOWN = re.compile(r"^  (RIPC-\w+-\d+) (?:MUST|SHOULD): (.*(?:\n {12}\S.*)*)", re.MULTILINE)


def test_its_statements_are_those_of_the_specification() -> None:
    statements = json.loads((ROOT / "schemas" / "requirements.json").read_text("utf-8"))["requirements"]
    texts = {each["id"]: each["text"] for each in statements}
    shown = {id: " ".join(text.split()) for id, text in SHOWN.findall(PAGE)}
    assert len(shown) >= 4
    assert shown == {id: texts[id] for id in shown}


def test_its_steps_are_on_the_lines_that_it_names() -> None:
    [(path, number)] = re.findall(r"^  step +(\S+\.yaml):(\d+)$", PAGE, re.MULTILINE)
    lines = (ROOT / path).read_text("utf-8").splitlines()
    named = [(number, "commands"), *re.findall(r"suite +line (\d+): (\w+)", PAGE)]
    assert len(named) >= 3
    assert [word in lines[int(line) - 1] for line, word in named] == [True] * len(named)


def test_its_check_has_the_text_of_the_scenario() -> None:
    [text] = re.findall(r"^  check +(.*)$", PAGE, re.MULTILINE)
    assert text in (ROOT / "conformance" / "scenarios" / "responder" / "one-transaction.yaml").read_text("utf-8")


def test_scenarios_that_pages_and_help_name_are_there() -> None:
    folder = ROOT / "conformance" / "scenarios"
    there = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml")}
    pages = [*(ROOT / "conformance" / "docs").glob("*.md"), ROOT / "interop" / "README.md"]
    texts = [page.read_text("utf-8") for page in pages if page.name != "writing-scenarios.md"]
    texts.append((ROOT / "conformance" / "src" / "redisipc_conformance" / "cli" / "parser.py").read_text("utf-8"))
    areas = "|".join(sorted({scenario.partition("/")[0] for scenario in there} | {"reclaim"}))
    named = {found for text in texts for found in re.findall(rf"['`\s]((?:{areas})/[a-z*/-]+)['`\s]", text)}
    assert len(named) >= 10
    # A check stands behind its scenario.
    known = {name for name in named for one in there if fnmatch(one, name) or name.startswith(f"{one}/")}
    assert sorted(named - known) == []
