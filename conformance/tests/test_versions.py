"""Conditions on versions compare as far as they go."""

import pytest

from redisipc_conformance.versions import version_holds


@pytest.mark.parametrize(
    ("condition", "version", "holds"),
    [
        ("", "7.0.15", True),
        ("<7", "6.2.14", True),
        ("<7", "7.0.15", False),
        (">7", "7.0.15", False),
        (">7", "8.0", True),
        ("<=7", "7.4", True),
        ("==7.0", "7.0.15", True),
        ("==7.0", "7.2.0", False),
        (">=7.2", "7.10.0", True),
        (">=7.2.1", "7.2", False),
        (">=6.2,<8", "7.4.1", True),
        (">=6.2,<8", "8.0.0", False),
    ],
)
def test_conditions(condition: str, version: str, holds: bool):
    assert version_holds(condition, version) is holds


def test_what_is_no_condition_is_refused():
    with pytest.raises(ValueError, match="is not a condition"):
        version_holds("7", "7.0")
