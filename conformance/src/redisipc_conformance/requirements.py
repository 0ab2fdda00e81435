"""The requirements of SPEC.md, as data. `tools/requirements.py` extracts `schemas/requirements.json` from the text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .files import schemas_folder

Level = Literal["MUST", "SHOULD", "MAY"]
_STRICTNESS: dict[str, int] = {"MAY": 0, "SHOULD": 1, "MUST": 2}
_LEVELS: tuple[Level, ...] = ("MAY", "SHOULD", "MUST")


@dataclass(frozen=True)
class Requirement:
    """One numbered sentence of SPEC.md."""

    id: str
    level: Level
    role: str = ""
    profile: str = ""
    section: str = ""
    text: str = ""
    testable: bool = True
    reason: str = ""
    """Why it cannot be tested, if it cannot."""
    feature: str | None = None
    anchor: str = ""


class Requirements:
    """All of them. If the file is missing, no id is unknown and each is a MUST."""

    def __init__(self, requirements: Iterable[Requirement] = (), *, spec: str = "1.0", complete: bool = True) -> None:
        self.spec = spec
        self.complete = complete
        """Whether an id that is not in here does not exist."""
        self._by_id = {requirement.id: requirement for requirement in requirements}

    @classmethod
    def load(cls, path: Path | None = None) -> Requirements:
        """From `path`, else from the suite's schemas."""
        path = path or schemas_folder() / "requirements.json"
        if not path.is_file():
            return cls(complete=False)
        data = json.loads(path.read_text(encoding="utf-8"))
        names = Requirement.__dataclass_fields__
        known = (Requirement(**{k: v for k, v in each.items() if k in names}) for each in data["requirements"])
        return cls(known, spec=data["spec"])

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, id: str) -> bool:
        return id in self._by_id or not self.complete

    def get(self, id: str) -> Requirement | None:
        """None if there is no such id."""
        return self._by_id.get(id)

    def level(self, ids: Iterable[str]) -> Level:
        """The strictest level among `ids`.

        MUST if there are none, or if one is unknown, so that nothing is excused by accident.
        """
        ranks = [_STRICTNESS[self._by_id[id].level] if id in self._by_id else 2 for id in ids]
        return _LEVELS[max(ranks, default=2)]

    def only_permit(self, ids: Iterable[str]) -> bool:
        """Whether each is a MAY without a feature. Nobody claims it, so a port that does not use it breaks nothing."""
        found = [self._by_id.get(id) for id in ids]
        return bool(found) and all(each is not None and each.level == "MAY" and not each.feature for each in found)
