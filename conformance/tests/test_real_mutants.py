"""Patches against the real ports: each can still be put in, and what became of each is known."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from redisipc_conformance.requirements import Requirements
from redisipc_conformance.results import CheckResult, Verdict

MUTANTS = Path(__file__).parents[1] / "mutants"
sys.path.insert(0, str(MUTANTS))

import fates  # noqa: E402
import patches  # noqa: E402
import real  # noqa: E402
import trial  # noqa: E402

PATCHES = patches.load()
PORTS = ("threads", "asyncio", "threads-ask", "asyncio-ask", "node", "node-ask")
UNJUDGED = Path(__file__).with_name("unjudged-real.txt")


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_it_can_be_put_into_the_source_as_it_is(patch: patches.Patch):
    text = (patches.ROOT / patch.file).read_text("utf-8")
    applied = patch.applied(text)
    assert applied != text
    if patch.file.endswith(".py"):
        # A source may change around what is replaced. What is left must be a program, or nothing is ever judged.
        compile(applied, patch.file, "exec")


def test_a_source_that_has_changed_is_refused():
    patch = patches.Patch("one", "threads", "k", ("RIPC-REQ-1",), "f", "a.py", (("x = 1\n", "x = 2\n"),))
    assert patch.applied("x = 1\n") == "x = 2\n"
    for text in ("x = 3\n", "x = 1\nx = 1\n"):
        with pytest.raises(ValueError, match="times, not once"):
            patch.applied(text)


def test_each_names_a_port_a_kind_and_statements_that_there_are():
    requirements = Requirements.load()
    assert [name for name, count in Counter(patch.name for patch in PATCHES).items() if count > 1] == []
    for patch in PATCHES:
        assert patch.on in PORTS
        assert patch.kind
        assert patch.fault
        assert patch.breaks
        assert {id for id in patch.breaks if id not in requirements} == set()
    assert len(PATCHES) >= 120


def test_what_became_of_each_is_known_and_each_survivor_has_its_reason():
    found = {name: fate.verdict for name, fate in fates.load().items()}
    # What is not judged yet, or survived without a reason.
    listed = {line for line in UNJUDGED.read_text("utf-8").splitlines() if line and not line.startswith("#")}
    assert found.keys() <= {patch.name for patch in PATCHES}
    opened = [
        each.name for each in PATCHES if found.get(each.name) != "killed" and not (each.survives and each.name in found)
    ]
    assert set(opened) == listed
    # A reason for one that is killed by now would hide that it is.
    assert [each.name for each in PATCHES if found.get(each.name) == "killed" and each.survives] == []


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The files that a run writes, empty and elsewhere."""
    for name in ("RESULTS", "TABLE", "README"):
        monkeypatch.setattr(fates, name, tmp_path / name)
        (tmp_path / name).write_text("[]", "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("verdict", "then"), [(fates.NOT_JUDGED, "killed"), (fates.UNDECIDED, "killed"), ("survived", "survived")]
)
def test_a_busy_machine_takes_no_verdict_away(files: Path, verdict: str, then: str):
    one = next(patch for patch in PATCHES if not patch.survives)
    fates.write([one], [fates.Fate(one.name, "killed", ("a/b/c",))])
    fates.write([one], [fates.Fate(one.name, verdict)])
    assert fates.load()[one.name].verdict == then


def test_the_table_is_that_of_the_stored_verdicts():
    text = fates.TABLE.read_text("utf-8")
    assert text == fates.table(PATCHES, fates.load())


@pytest.mark.parametrize("verdict", ["killed", "survived", "by-timeout", "other", fates.NOT_JUDGED, fates.UNDECIDED])
def test_a_fresh_clone_writes_the_same_table(files: Path, verdict: str):
    one = next(patch for patch in PATCHES if not patch.survives)
    fates.write([one], [fates.Fate(one.name, verdict, ("a/b/c",), "seen")])
    first = (files / "TABLE").read_text("utf-8")
    # A clone has what is stored, and has found nothing itself.
    fates.write([one], [])
    assert (files / "TABLE").read_text("utf-8") == first


@pytest.mark.parametrize(
    ("verdict", "reason", "missing", "code"),
    [
        ("killed", "", 0, 0),
        ("survived", "why", 0, 0),
        ("by-timeout", "why", 0, 0),
        ("survived", "", 0, 1),
        ("other", "", 0, 1),
        ("by-timeout", "", 0, 1),
        ("killed", "why", 0, 1),
        (fates.NOT_JUDGED, "", 0, 1),
        (fates.NOT_JUDGED, "why", 0, 1),
        ("survived", "", 1, 1),
        ("killed", "", 1, 3),
        (fates.UNDECIDED, "", 1, 3),
        (fates.UNDECIDED, "why", 1, 3),
    ],
)
def test_the_exit_status_says_whether_all_is_as_it_should_be(verdict: str, reason: str, missing: int, code: int):
    patch = patches.Patch("one", "threads", "k", ("RIPC-REQ-1",), "f", "a.py", (("x", "y"),), reason)
    assert real.status([(patch, fates.Fate("one", verdict))], missing) == code


@pytest.mark.parametrize(
    ("message", "undecided"),
    [
        ("it took 3 s; the runner itself stood still for 2.0 s, so nothing is decided", True),
        ("it took 3 s; the testee waited for a processor for 1.0 s, so nothing is decided", True),
        ("not reached: read in line 17", False),
    ],
)
def test_a_patch_that_met_a_busy_machine_has_not_survived(message: str, undecided: bool):
    check = CheckResult("one", "", ("RIPC-REQ-1",), "MUST", Verdict.INCONCLUSIVE, message)
    assert trial.undecided(check) is undecided


def test_the_readme_has_the_rate():
    assert fates.rate(PATCHES, fates.load()) in fates.README.read_text("utf-8").splitlines()
