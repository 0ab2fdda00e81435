"""``--write-known-failures``: updates the known-failures file from the last run, and keeps every comment.

The text is edited line by line, and never printed from parsed data: text that a person wrote stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..results import Verdict
from .judge import Judge
from .known import EXCUSABLE, UNREASONED, KnownFailure, KnownFailures, KnownFailuresError, Ran, parse
from .run import Run

HEADER = """\
# What this implementation is known to fail. An entry that passes again fails the run: delete it then.
known_failures:
"""
MESSAGE_LENGTH = 100
"""Characters of a failure's message that an entry keeps, at most."""
_KEY = re.compile(r"^known_failures:(\s*\[\s*\])?")
_VARIES = re.compile(r"\S*\d")


def brought_up_to_date(judge: Judge, runs: Sequence[Run], declared: Collection[str]) -> str:
    """Updates the judge's file after these runs, and returns a summary of the changes. Raises KnownFailuresError."""
    path = judge.known.path
    if not runs or any(run.interrupted for run in runs):
        return f"{path} is left as it was: the run is not whole"
    ran = [(run.started.server, run.results) for run in runs]
    added, dropped = rewrite(Path(path), ran, declared, strict=judge.strict)
    return f"{path}: {added} added, {dropped} dropped. Give each new entry its reason."


def rewrite(path: Path, runs: Iterable[Ran], declared: Collection[str], *, strict: bool = False) -> tuple[int, int]:
    """Writes the file again. Returns how many entries it added and dropped. ``declared``: every id that the suite has.

    ``runs``: the results that `Judge.judged` gave, one list for each server. Warnings are added only with
    ``strict``, since otherwise they do not fail the run.
    """
    old = path.read_text(encoding="utf-8") if path.exists() else HEADER
    ran = list(runs)
    stale = KnownFailures(str(path), tuple(parse(old, str(path))) if path.exists() else ()).stale(ran, declared)
    added = _new(ran, strict)
    if not re.search(r"^known_failures:\s*(\[\s*\])?\s*(#.*)?$", old, re.MULTILINE):
        raise KnownFailuresError(
            f"{path}: write the list under known_failures: with an entry a line, so that it can be edited"
        )
    edited = _edited(old, stale, added)
    parse(edited, str(path))
    path.write_text(edited, encoding="utf-8")
    return len(added), len(stale)


def _new(runs: list[Ran], strict: bool) -> list[tuple[str, str]]:
    """Id and message of each failure that no entry excuses, each once."""
    found: dict[str, str] = {}
    counted = EXCUSABLE if strict else EXCUSABLE - {Verdict.WARNING}
    for _, results in runs:
        for result in results:
            failed = [check for check in result.checks if check.verdict in counted and not check.late]
            for check in failed:
                found.setdefault(f"{result.id}/{check.name}", check.message)
            if result.verdict in counted and not any(check.verdict in EXCUSABLE for check in result.checks):
                found.setdefault(result.id, result.reason)
    return sorted(found.items())


def _edited(text: str, stale: list[KnownFailure], added: list[tuple[str, str]]) -> str:
    lines = text.splitlines()
    gone = {number for entry in stale for number in range(entry.line, entry.last_line + 1)}
    # A comment inside an entry may matter more than the entry: it stays.
    kept = [line for number, line in enumerate(lines, 1) if number not in gone or line.lstrip().startswith("#")]
    items = [line for number, line in enumerate(lines, 1) if line.lstrip().startswith("- ") and number not in gone]
    indent = " " * (len(items[0]) - len(items[0].lstrip())) if items else "  "
    while added and kept and not kept[-1].strip():
        kept.pop()
    for id, message in added:
        kept.append(f"{indent}- id: {id}")
        kept.append(f"{indent}  reason: {json.dumps(UNREASONED)}")
        if beginning := steady_beginning(message):
            kept.append(f"{indent}  message: {json.dumps(beginning, ensure_ascii=False)}")
    key = next(number for number, line in enumerate(kept) if line.startswith("known_failures:"))
    empty = not added and not items
    kept[key] = _KEY.sub("known_failures: []" if empty else "known_failures:", kept[key])
    return "\n".join(kept) + "\n"


def steady_beginning(message: str) -> str:
    """The part at the beginning of a message that is the same in every run. Empty if too short.

    It ends before the first word with a digit, since ids and times differ.
    """
    line = (message.splitlines() or [""])[0]
    varies = _VARIES.search(line)
    beginning = line[: varies.start() if varies else MESSAGE_LENGTH][:MESSAGE_LENGTH].rstrip()
    return beginning if len(beginning) >= 8 else ""
