"""What slices of a run have found so far: a verdict counts as long as nothing that it came from has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from catalogue import HERE, Mutant
from hunt import Fate

from redisipc_conformance.scenario import Scenario

FILE = HERE.parents[1] / "out" / "mutants.json"
_SUITE = HERE.parent / "src" / "redisipc_conformance"
_SOURCES = (HERE / "model", *(_SUITE / part for part in ("engine", "scenario", "server", "steps", "testee", "wire")))


class Kept:
    """Verdicts by what they came from: the sources, the scenario, the mutant's line in the catalogue, the server."""

    def __init__(self, scenarios: Iterable[Scenario], server: str, file: Path = FILE) -> None:
        self._file = file
        self._server = server
        self._scenarios = {scenario.id: scenario for scenario in scenarios}
        self._sources = _digest(*(path.read_bytes() for path in _files()))
        self._rows: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}

    def fate(self, mutant: Mutant) -> Fate | None:
        """What is known of it; of a mutant that is wrong on some servers only, wherever it was found."""
        row = self._rows.get(self._of(mutant))
        return None if row is None else Fate(mutant, row["verdict"], row["seen"], row["server"])

    def add(self, fate: Fate) -> None:
        """Only what is good is kept: the rest is tried again."""
        if fate.verdict == "killed":
            self._put(self._of(fate.mutant), {"verdict": fate.verdict, "seen": fate.seen, "server": fate.server})

    def right(self, id: str) -> list[str] | None:
        """The checks of this scenario that the model passes."""
        found: list[str] | None = self._rows.get(self._key("model", id))
        return found

    def add_right(self, id: str, checks: list[str]) -> None:
        self._put(self._key("model", id), checks)

    def vacuous(self, id: str) -> list[str] | None:
        """The MUST checks of this scenario that the null testee passes."""
        found: list[str] | None = self._rows.get(self._key("null", id))
        return found

    def add_vacuous(self, id: str, checks: list[str]) -> None:
        self._put(self._key("null", id), checks)

    def _put(self, key: str, value: Any) -> None:
        self._rows[key] = value
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(json.dumps(self._rows), "utf-8")

    def _of(self, mutant: Mutant) -> str:
        server = "" if mutant.server else self._server
        return f"{mutant.name} {_digest(repr(mutant).encode())} {self._from(sorted(mutant.scenarios), server)}"

    def _key(self, what: str, id: str) -> str:
        return f"{what} {id} {self._from([id], self._server)}"

    def _from(self, ids: list[str], server: str) -> str:
        scenarios = [_content(self._scenarios.get(id)) for id in ids]
        return _digest(self._sources.encode(), server.encode(), *scenarios)


def _content(scenario: Scenario | None) -> bytes:
    return f"{scenario.text}{scenario.rows}".encode() if scenario is not None else b""


def _files() -> list[Path]:
    found = [path for folder in _SOURCES for path in folder.rglob("*.py")]
    return sorted([*found, HERE / "testee.py", HERE / "null.py"])


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
