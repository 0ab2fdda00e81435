"""All inputs that once showed a defect, and a few thousand new ones, are read without a crash, a hang or growth."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzing.corpus import KEPT, seeds
from fuzzing.run import run
from fuzzing.targets import TARGETS

COUNTS = {
    "reply": 2000, "entry": 3000, "content": 3000, "endpoint": 300, "siblings": 100, "channel": 2000,
    "frame": 3000, "message": 1500, "scenario": 60, "known": 200, "report": 200, "matrix": 200,
}  # fmt: skip


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_what_others_wrote_never_breaks_a_reader(target: str, tmp_path: Path) -> None:
    result = run(target, COUNTS[target], seed=7, found=tmp_path)
    assert not result.failures, "\n".join(result.failures)
    assert result.inputs == COUNTS[target]


@pytest.mark.parametrize("path", sorted(KEPT.iterdir()), ids=lambda path: path.name)
def test_an_input_that_once_broke_a_reader_is_read(path: Path) -> None:
    TARGETS[path.name.partition("-")[0]](path.read_bytes())


def test_a_target_that_fails_is_noticed_and_its_input_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        raise AssertionError("as if a reader had crashed")

    monkeypatch.setitem(TARGETS, "entry", broken)
    result = run("entry", 10, seed=1, found=tmp_path, most=2)
    assert len(result.failures) == 2
    assert {path.read_bytes() for path in tmp_path.iterdir()} <= set(seeds("entry"))
