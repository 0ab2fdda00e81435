"""The command line over fakes, with a small corpus of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.fakes import Fake
from redisipc_conformance.cli import main
from redisipc_conformance.scenario import corpus
from redisipc_conformance.verdict.frozen import FrozenSet

SCENARIO = """\
id: {id}
title: Title of {id}
profile: {profile}
requirements: [RIPC-ENTRY-1]
checks:
  one: The first holds
  two: {{text: The second holds, requirements: [RIPC-ENTRY-2]}}
{more}steps:
  - connect: a
  - value: {{of: 1, is: 1}}
    check: [one, two]
"""
IDS = {"entry/a": "base", "entry/b": "base", "reclaim/c": "group", "channel/d": "channel"}


@dataclass
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fake:
    """Also: an empty cache, a folder to work in, no frozen set."""
    scenarios = tmp_path / "scenarios"
    for id, profile in IDS.items():
        file = scenarios / f"{id}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        more = "needs: [restart]\n" if id == "entry/b" else ""
        file.write_text(SCENARIO.format(id=id, profile=profile, more=more))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(corpus, "scenarios_folder", lambda: scenarios)
    monkeypatch.setattr(FrozenSet, "load", classmethod(lambda cls: cls("1.0")))
    made = Fake()
    made.install(monkeypatch)
    return made


@pytest.fixture
def run(fake: Fake, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line up to its exit code and what it printed; ``-- port`` is added to a ``run``."""

    def go(*arguments: str) -> Ran:
        added = ["--", "port", "--x"] if arguments[0] == "run" and "--" not in arguments else []
        code = main([*arguments, *added])
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    return go
