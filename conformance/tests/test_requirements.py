"""The requirements of SPEC.md, as the suite reads them."""

from __future__ import annotations

import json
from pathlib import Path

from redisipc_conformance.requirements import Requirement, Requirements


def test_the_strictest_level_counts_and_what_is_not_known_is_a_must() -> None:
    requirements = Requirements([Requirement("A-1", "MAY"), Requirement("A-2", "SHOULD"), Requirement("A-3", "MUST")])
    assert requirements.level(["A-1"]) == "MAY"
    assert requirements.level(["A-1", "A-2"]) == "SHOULD"
    assert requirements.level(["A-2", "A-3"]) == "MUST"
    assert requirements.level(["A-1", "B-9"]) == "MUST"
    assert requirements.level([]) == "MUST"


def test_a_permission_is_a_may_that_no_feature_claims() -> None:
    requirements = Requirements(
        [Requirement("A-1", "MAY"), Requirement("A-2", "MAY", feature="cancel"), Requirement("A-3", "MUST")]
    )
    assert requirements.only_permit(["A-1"])
    assert not requirements.only_permit(["A-1", "A-2"])
    assert not requirements.only_permit(["A-1", "A-3"])
    assert not requirements.only_permit(["B-9"])
    assert not requirements.only_permit([])


def test_they_are_read_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "requirements.json"
    row = {"id": "A-1", "level": "SHOULD", "role": "sender", "profile": "base", "text": "x", "more": 1}
    path.write_text(json.dumps({"spec": "1.7", "requirements": [row]}))
    requirements = Requirements.load(path)
    assert requirements.spec == "1.7"
    assert "A-1" in requirements
    assert "A-2" not in requirements
    assert [each.level for each in requirements] == ["SHOULD"]


def test_without_the_file_no_id_is_unknown(tmp_path: Path) -> None:
    requirements = Requirements.load(tmp_path / "none.json")
    assert "RIPC-ANY-1" in requirements
    assert len(requirements) == 0
