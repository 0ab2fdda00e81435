"""The causes of a second run that the checker accepts are those of SPEC.md's table, and none besides."""

from __future__ import annotations

import ast
import inspect
import textwrap

from ..support_tables import rows
from . import causes
from .causes import CAUSES, cause


def answers() -> set[str | None]:
    """Every value that ``cause`` returns, read from its source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cause)))
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    assert all(isinstance(value, ast.Constant) for value in returned), "each answer is written out"
    return {value.value for value in returned if isinstance(value, ast.Constant)}  # type: ignore[misc]


def test_the_checker_accepts_the_causes_of_the_table_and_none_besides() -> None:
    printed = rows("causes", "causes")
    assert answers() == {*printed, None}
    assert CAUSES.keys() == printed.keys()


def test_each_bound_is_that_of_the_table() -> None:
    printed = rows("causes", "causes")
    bounds = {id: row["needs_s"] for id, row in printed.items() if row["needs_s"] is not None}
    source = inspect.getsource(causes)
    for id in bounds:
        assert f'CAUSES["{id}"].needs_s' in source, f"the bound of {id} is read from the table"
