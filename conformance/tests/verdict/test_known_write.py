"""The known-failures file is brought up to date, and whatever a person wrote into it stays."""

from pathlib import Path

import pytest

from redisipc_conformance.results import Verdict
from redisipc_conformance.verdict.known import KnownFailures, KnownFailuresError
from redisipc_conformance.verdict.known_write import rewrite, steady_beginning
from verdict.test_known import DECLARED, FAILED, PASSED, REDIS_6, REDIS_7, check, result
from verdict.test_known import judged as judged_by

NAMES = check("names", Verdict.FAIL, "five fields, 7 seen")

FILE = """\
# What we know.  Ask Ada.
known_failures:   # keep sorted, please
  # since 0.4
  - id: entry/fields/order
    reason: not done yet   # see issue 12
    when: {redis: "<8"}

  # This one hurts.
  - id: entry/fields/names
    reason: "also not done"
"""


def judged(path: Path, *checks):
    return judged_by(KnownFailures.load(path), result(*checks), REDIS_7)


def test_nothing_changes_where_nothing_changed(tmp_path: Path):
    path = tmp_path / "known.yaml"
    path.write_text(FILE)
    assert rewrite(path, [(REDIS_7, [judged(path, FAILED, NAMES)])], DECLARED) == (0, 0)
    assert path.read_text() == FILE


def test_a_stale_entry_goes_and_every_comment_stays(tmp_path: Path):
    path = tmp_path / "known.yaml"
    path.write_text(FILE)
    assert rewrite(path, [(REDIS_7, [judged(path, PASSED, NAMES)])], DECLARED) == (0, 1)
    assert path.read_text() == FILE.replace(
        '  - id: entry/fields/order\n    reason: not done yet   # see issue 12\n    when: {redis: "<8"}\n', ""
    )


def test_a_new_failure_is_entered_and_the_file_is_valid(tmp_path: Path):
    path = tmp_path / "known.yaml"
    path.write_text(FILE.split("\n  # This")[0] + "\n")
    before = path.read_text()
    assert rewrite(path, [(REDIS_7, [judged(path, FAILED, NAMES)])], DECLARED) == (1, 0)
    assert path.read_text().startswith(before.rstrip("\n"))
    entry = KnownFailures.load(path).entries[-1]
    assert (entry.id, entry.message) == ("entry/fields/names", "five fields,")
    assert KnownFailures.load(path).unreasoned() == ["entry/fields/names"]
    assert judged(path, FAILED, NAMES).verdict is Verdict.KNOWN


def test_a_file_that_is_not_there_is_made(tmp_path: Path):
    path = tmp_path / "known.yaml"
    assert rewrite(path, [(REDIS_7, [result(FAILED)])], DECLARED) == (1, 0)
    assert judged(path, FAILED).verdict is Verdict.KNOWN
    assert rewrite(path, [(REDIS_7, [judged(path, PASSED)])], DECLARED) == (0, 1)
    assert KnownFailures.load(path).entries == ()


def test_an_entry_that_one_of_several_servers_needs_stays(tmp_path: Path):
    path = tmp_path / "known.yaml"
    path.write_text(FILE)
    runs = [(REDIS_6, [judged(path, PASSED, NAMES)]), (REDIS_7, [judged(path, FAILED, NAMES)])]
    assert rewrite(path, runs, DECLARED) == (0, 0)


def test_an_entry_of_what_could_not_run_stays_and_one_of_nothing_goes(tmp_path: Path):
    path = tmp_path / "known.yaml"
    path.write_text(FILE)
    assert rewrite(path, [(REDIS_7, [])], DECLARED) == (0, 0)
    assert rewrite(path, [(REDIS_7, [])], DECLARED - {"entry/fields/names"}) == (0, 1)


def test_a_warning_is_entered_only_where_it_fails(tmp_path: Path):
    path = tmp_path / "known.yaml"
    warned = result(check("order", Verdict.WARNING, "slow"))
    assert rewrite(path, [(REDIS_7, [warned])], DECLARED) == (0, 0)
    assert rewrite(path, [(REDIS_7, [warned])], DECLARED, strict=True) == (1, 0)


def test_a_failure_with_another_message_replaces_its_entry(tmp_path: Path):
    path = tmp_path / "known.yaml"
    path.write_text(FILE + "    message: six fields\n")
    assert rewrite(path, [(REDIS_7, [judged(path, FAILED, NAMES)])], DECLARED) == (1, 1)
    assert judged(path, FAILED, NAMES).verdict is Verdict.KNOWN


def test_a_list_in_one_line_is_refused_and_untouched(tmp_path: Path):
    path = tmp_path / "known.yaml"
    path.write_text("known_failures: [{id: entry/fields, reason: x}]\n")
    with pytest.raises(KnownFailuresError, match="an entry a line"):
        rewrite(path, [(REDIS_7, [result(FAILED)])], DECLARED)
    assert path.read_text() == "known_failures: [{id: entry/fields, reason: x}]\n"


def test_what_differs_from_run_to_run_is_not_part_of_the_message():
    assert steady_beginning("no entry within 2.5 s") == "no entry within"
    assert steady_beginning("id 3f2a00 is wrong") == ""
    assert steady_beginning("the fields come in another order\nsecond line") == "the fields come in another order"
