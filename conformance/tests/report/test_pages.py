"""The failures that ``docs/reading-reports.md`` prints: their statements, checks and lines are those of today."""

from __future__ import annotations

import json
import re
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
