"""Finds the suite's data files: inside the wheel (`data/`), or in a checkout beside the sources."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_DATA = _PACKAGE / "data"
_CHECKOUT = _PACKAGE.parent.parent


def installed() -> bool:
    """Whether this is an installed wheel, not a checkout."""
    return _DATA.is_dir()


def suite_folder() -> Path:
    """The folder that holds `scenarios/`, `vectors/` and `requirements/`."""
    return _DATA if installed() else _CHECKOUT


def scenarios_folder() -> Path:
    """The scenarios that ship with the suite."""
    return suite_folder() / "scenarios"


def schemas_folder() -> Path:
    """The JSON Schemas, the tables and the list of requirements, shared with SPEC.md and the ports."""
    return _DATA / "schemas" if installed() else _CHECKOUT.parent / "schemas"


def schema_file(name: str) -> Path:
    """A schema of SPEC.md's version, as ``entry`` or ``testee/calls/send``."""
    return schemas_folder() / "1.0" / f"{name}.json"


def report_schema() -> Path:
    """The schema of the JSON report, which has a version of its own."""
    return schemas_folder() / "report-1" / "report.json"
