"""The failures of the last run of a command, for ``--lf``: in the user's cache, never in the project's folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def _file(command: Sequence[str]) -> Path:
    """One for each folder and command."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    key = hashlib.sha256(json.dumps([os.getcwd(), *command]).encode()).hexdigest()[:16]
    return Path(base) / "redisipc-conformance" / f"{key}.json"


def failed_last(command: Sequence[str]) -> frozenset[str] | None:
    """Ids of scenarios; None when nothing is known."""
    try:
        return frozenset(json.loads(_file(command).read_text(encoding="utf-8"))["failed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(command: Sequence[str], ran: Iterable[str], failed: Iterable[str]) -> None:
    """Scenarios that did not run this time stay in the list. A cache that cannot be written does not fail the run."""
    kept = (failed_last(command) or frozenset()) - set(ran)
    path = _file(command)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = {"command": list(command), "folder": os.getcwd(), "failed": sorted(kept | set(failed))}
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    except OSError:
        pass
