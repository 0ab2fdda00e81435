"""Where the files are that all ports share: above ``python/`` in a clone, beside ``tests/`` in an sdist."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve()
SHARED = next(folder for folder in (_HERE.parents[1], _HERE.parents[2]) if (folder / "schemas").is_dir())
"""The folder that has ``schemas/``, ``conformance/vectors/`` and ``SPEC.md``."""
