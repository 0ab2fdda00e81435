"""``docs/command-line.md`` names every command, exit status and finding."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from redisipc.cli.exits import MEANING
from redisipc.cli.look.sweep import ORPHANS
from redisipc.cli.main import COMMANDS

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "command-line.md"
DOCTOR = ROOT / "python" / "src" / "redisipc" / "cli" / "doctor"
if not PAGE.is_file():
    pytest.skip("the page is only in the repository", allow_module_level=True)
TEXT = PAGE.read_text("utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_there(command: str) -> None:
    assert re.search(rf"`{command}[ `]", TEXT)


def test_each_exit_status_is_there() -> None:
    listed = {int(number) for number in re.findall(r"^\| (\d+) \| ", TEXT, re.MULTILINE)}
    assert listed == set(MEANING)


def test_each_finding_is_there() -> None:
    source = "".join(path.read_text("utf-8") for path in DOCTOR.glob("*.py"))
    codes = set(re.findall(r'Finding\(\s*"([a-z-]+)"', source))
    codes |= {"member-without-handler", "overloaded", "given-up"}
    codes |= {f"orphan-{kind}" for kind in ORPHANS if kind != "malformed"}
    section = TEXT[TEXT.index("## Something is wrong") : TEXT.index("## Which rights")]
    rows = re.findall(r"^\| (`[^|]*`) \| ", section, re.MULTILINE)
    assert set(re.findall(r"`([a-z-]+)`", " ".join(rows))) == codes
