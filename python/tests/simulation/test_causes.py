"""The causes of a second run that the checker accepts are those of SPEC.md's table."""

from __future__ import annotations

from ..support_tables import rows
from .causes import CAUSES


def test_the_checker_accepts_the_causes_of_the_table_and_none_besides() -> None:
    printed = [name for row in rows("causes", "causes").values() for name in row["checked_as"]]
    assert sorted(printed) == sorted(CAUSES)
