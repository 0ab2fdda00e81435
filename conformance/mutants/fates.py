"""What became of each real-source mutant: kept between runs, and written for readers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from patches import FOLDER, ROOT, Patch

RESULTS = FOLDER / "results.json"
TABLE = FOLDER / "results.md"
README = FOLDER.parent / "README.md"
NOT_JUDGED = "not judged"
"""It could not be put in, built or started."""
UNDECIDED = "undecided"
"""The machine was too busy to blame it, or the time was over. The next run continues."""
_RATE = re.compile(r"^[0-9]+ of [0-9]+.*$", re.MULTILINE)
"""The line of the README that has the rate."""
_KEPT = ROOT / "out" / "real-mutants.json"


@dataclass(frozen=True)
class Fate:
    """What became of a patch; ``by``: the checks that caught it."""

    name: str
    verdict: str
    by: tuple[str, ...] = ()
    seen: str = ""

    @property
    def is_killed(self) -> bool:
        """Whether a check of a statement that it breaks failed by assertion."""
        return self.verdict == "killed"


class Kept:
    """What the runs on this machine found, each with a stamp of what it was found with: fates, and what the ports pass."""

    def __init__(self) -> None:
        self._rows = _kept_rows()

    def of(self, name: str) -> tuple[Fate, str] | None:
        """The fate and its stamp."""
        row = self._rows.get(name)
        if row is None:
            return None
        return Fate(name, row["verdict"], tuple(row["by"]), row["seen"]), row["stamp"]

    def keep(self, fate: Fate, stamp: str) -> None:
        """Remembers it beyond this run."""
        self._put(fate.name, {**asdict(fate), "stamp": stamp})

    def passed(self, on: str, id: str, stamp: str) -> set[str]:
        """The checks of a scenario that the port passed as it is; empty where that is not known."""
        row = self._rows.get(f"{on} passes {id}")
        return set(row["checks"]) if row is not None and row["stamp"] == stamp else set()

    def keep_passed(self, on: str, id: str, checks: set[str], stamp: str) -> None:
        """Remembers these beyond this run."""
        self._put(f"{on} passes {id}", {"checks": sorted(checks), "stamp": stamp})

    def met(self, name: str) -> set[str]:
        """Scenarios that a patch has passed, and checks that it failed once, each with the stamp of what it was tried with."""
        return set(self._rows.get(f"{name} met", {}).get("found", ()))

    def keep_met(self, name: str, found: set[str]) -> None:
        """Remembers these beyond this run, so that the judgement of one patch may take several."""
        self._put(f"{name} met", {"found": sorted(self.met(name) | found)})

    def _put(self, key: str, row: dict[str, Any]) -> None:
        # Another run may have written meanwhile.
        self._rows = {**_kept_rows(), key: row}
        _KEPT.parent.mkdir(exist_ok=True)
        _KEPT.write_text(json.dumps(self._rows), "utf-8")


def _kept_rows() -> dict[str, Any]:
    return dict(json.loads(_KEPT.read_text("utf-8"))) if _KEPT.exists() else {}


def forget() -> None:
    """The next run judges all of them."""
    _KEPT.unlink(missing_ok=True)


def load() -> dict[str, Fate]:
    """What is written down, by name."""
    rows = json.loads(RESULTS.read_text("utf-8"))
    return {row["name"]: Fate(row["name"], row["verdict"], tuple(row["by"])) for row in rows}


def write(every: Sequence[Patch], found: Sequence[Fate]) -> None:
    """Both files, with what was found beside what they have. Nothing in them changes unless a verdict does.

    The table holds nothing that ``results.json`` does not, so that it comes out the same wherever it is made.
    """
    known = load()
    for fate in found:
        # A machine that was too busy to judge says nothing against what an earlier run found.
        says_nothing = fate.verdict in (NOT_JUDGED, UNDECIDED)
        if not says_nothing and not (fate.is_killed and _is_killed(known.get(fate.name))):
            known[fate.name] = fate
    rows = [known[patch.name] for patch in every if patch.name in known]
    texts = [json.dumps({"name": f.name, "verdict": f.verdict, "by": list(f.by)}, ensure_ascii=False) for f in rows]
    RESULTS.write_text("[\n" + ",\n".join(f" {text}" for text in texts) + "\n]\n", "utf-8")
    TABLE.write_text(table(every, known), "utf-8")
    README.write_text(_RATE.sub(lambda _: rate(every, known), README.read_text("utf-8"), count=1), "utf-8")


def table(every: Sequence[Patch], known: dict[str, Fate]) -> str:
    """The page of the verdicts."""
    lines = [
        f"| {p.name} | {p.on} | {p.kind} | {p.fault} | {'<br>'.join(p.breaks)} | {_told(p, known.get(p.name))} |"
        for p in every
    ]
    head = "| mutant | port | kind | fault | breaks | verdict |\n| --- | --- | --- | --- | --- | --- |\n"
    text = f"# Real-source mutants\n\nMade by `make mutants`; not to be edited.\n\n{rate(every, known)}\n\n{head}"
    return text + "\n".join(lines) + "\n"


def _is_killed(fate: Fate | None) -> bool:
    return fate is not None and fate.is_killed


def rate(every: Sequence[Patch], known: dict[str, Fate]) -> str:
    """How many are killed, in a sentence."""
    killed = sum(patch.name in known and known[patch.name].is_killed for patch in every)
    share = 100 * killed / len(every)
    return (
        f"{killed} of {len(every)} real-source mutants ({share:.0f} %) are killed by assertion, "
        "in a check of a statement that they break."
    )


def _told(patch: Patch, fate: Fate | None) -> str:
    if fate is None:
        return "not judged yet"
    caught = "<br>".join(fate.by)
    if fate.is_killed:
        return caught
    return f"{fate.verdict}: {patch.survives or 'no reason is known yet'} {caught}".strip()
