"""The least rights with which an endpoint must work, as a user of the server (SPEC.md, section 2)."""

from __future__ import annotations

import json

from ..files import schemas_folder

USER = "least"
"""The user's name."""
OPTIONAL = frozenset({"notify", "client", "ping"})
"""Rows of the table of rights without which an endpoint must work (RIPC-REDIS-8)."""
BESIDE = ("EXEC", "XGROUP DELCONSUMER", "XREAD", "SELECT")
"""Commands of section 2 that no row of the table names, and what many client libraries send first."""


def commands() -> tuple[str, ...]:
    """The commands that the user may send."""
    data = json.loads((schemas_folder() / "1.0" / "tables" / "rights.json").read_text("utf-8"))
    rows = [row for table in data["tables"] for row in table["rows"] if row["id"] not in OPTIONAL]
    return (*(command for row in rows for command in row["commands"]), *BESIDE)


def config(password: str) -> tuple[str, ...]:
    """The command line options of a server that create the user with that password."""
    allowed = ("+" + command.lower().replace(" ", "|") for command in commands())
    return ("--user", USER, "on", f">{password}", "~*", *allowed)
