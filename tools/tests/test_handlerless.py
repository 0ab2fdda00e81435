"""The table that says what binds a member without a handler: each statement of the responder is in it, once."""

from __future__ import annotations

from collections import Counter

from schemas import FOLDER, read
from tables import load


def test_each_statement_of_a_responder_is_in_one_row() -> None:
    tables = {table["id"]: table["rows"] for table in load("profiles")["tables"]}
    listed = Counter(id for row in tables["handlerless"] for id in row["requirements"])
    statements = read(FOLDER / "requirements.json")["requirements"]
    assert listed == Counter(
        each["id"] for each in statements if each["role"] == "responder" and each["level"] != "retired"
    )
