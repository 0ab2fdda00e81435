"""SPEC.md to schemas/requirements.json, the anchors and the index of SPEC.md, and the checks on its ids.

``requirements.py`` writes, ``--check`` only checks, and fails if something is wrong or out of date, ``--cited`` lists
the mandatory statements that no line of the reference library names.

Ids are never reused: ``schemas/requirement-ids.txt`` holds each id that was ever given, with the version that gave it. The
tool adds to it and takes nothing away. An id of that list must be in SPEC.md, as a statement or as retired. A statement must
not stand under an id that is retired there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from anchors import with_anchors, with_index
from citations import citations, files
from spec import ROOT, SPEC, Spec, Statement, read
from tables import features

REQUIREMENTS = ROOT / "schemas" / "requirements.json"
IDS = ROOT / "schemas" / "requirement-ids.txt"
LIBRARY = ROOT / "python" / "src" / "redisipc"
PUBLISHED = ROOT / "interop" / "results"
"""Results of the suite. They name statements of their time, also some that were retired later."""
_HEAD = "# Every id that SPEC.md ever gave, and in which version. Lines are only added; made by tools/requirements.py."


def as_json(spec: Spec, ids: dict[str, tuple[str, bool]]) -> str:
    """The file, one statement a line, so that a change shows as one line. ``ids`` says which version gave each."""
    rows = [json.dumps(_row(statement, ids), ensure_ascii=False) for statement in spec.statements]
    retired = [
        json.dumps({"id": each.id, "since": ids[each.id][0], "retired": each.version, "reason": each.reason})
        for each in spec.retired
    ]
    return (
        f'{{"spec": {json.dumps(spec.version)}, "requirements": [\n'
        + ",\n".join(rows)
        + '\n], "retired": ['
        + ",".join(f"\n{row}" for row in retired)
        + "\n]}\n"
    )


def _row(statement: Statement, ids: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    return {**asdict(statement), "anchor": statement.anchor, "since": ids[statement.id][0]}


def given(text: str) -> dict[str, tuple[str, bool]]:
    """The list of ids: for each, the version that gave it, and whether it is retired."""
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {row[0]: (row[1], row[2:] == ["retired"]) for row in rows}


def all_given(spec: Spec, before: dict[str, tuple[str, bool]]) -> str:
    """The list with new ids added."""
    now = {**before, **{id: (before.get(id, (spec.version,))[0], id in spec.retired_ids) for id in spec.ids}}
    order = sorted(now, key=lambda each: (each.split("-")[1], int(each.split("-")[2])))
    return "\n".join([_HEAD, *(f"{id} {now[id][0]}{' retired' if now[id][1] else ''}" for id in order)]) + "\n"


def reused(spec: Spec, before: dict[str, tuple[str, bool]]) -> Iterator[str]:
    statements = {statement.id for statement in spec.statements}
    for id, (_, retired) in before.items():
        if id not in spec.ids:
            yield f"{id} was given and is gone from SPEC.md; keep it there as '- **{id}** retired in ...: why.'"
        elif retired and id in statements:
            yield f"{id} was retired and stands in SPEC.md again; take the next free number"


def strange_features(spec: Spec, known: set[str]) -> Iterator[str]:
    for statement in spec.statements:
        if statement.feature and statement.feature not in known:
            yield f"{statement.id}: no feature {statement.feature!r}; registries.json has {', '.join(sorted(known))}"


def unknown(spec: Spec, root: Path) -> Iterator[str]:
    for path in files(root):
        if path == IDS:
            continue
        may_be_retired = path in (SPEC, REQUIREMENTS) or PUBLISHED in path.parents
        where = path.relative_to(root)
        for _, line, id in citations(path):
            if id.count("-") == 1:
                yield f"{where}:{line}: {id} has no number; cite a statement"
            elif id not in spec.ids:
                yield f"{where}:{line}: there is no {id}"
            elif id in spec.retired_ids and not may_be_retired:
                yield f"{where}:{line}: {id} is retired"


def uncited(spec: Spec) -> list[str]:
    """Statements that are mandatory and testable, but named nowhere in the library."""
    cited = {each.id for path in files(LIBRARY) for each in citations(path)}
    return [
        f"{s.id} ({s.role}, {s.profile})"
        for s in spec.statements
        if s.level == "MUST" and s.testable and s.id not in cited
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="SPEC.md to schemas/requirements.json, its anchors and its index")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is out of date")
    parser.add_argument("--cited", action="store_true", help="list what no line of the library names")
    options = parser.parse_args(arguments)
    text = SPEC.read_text(encoding="utf-8")
    spec = read(text)
    if options.cited:
        missing = uncited(spec)
        print("\n".join(missing))
        print(f"{len(missing)} mandatory statements are cited nowhere in {LIBRARY.relative_to(ROOT)}")
        return 0
    before = given(IDS.read_text(encoding="utf-8")) if IDS.is_file() else {}
    ids = all_given(spec, before)
    faults = [f"SPEC.md: {fault}" for fault in (*spec.faults, *strange_features(spec, features()))]
    faults += [*reused(spec, before), *unknown(spec, ROOT)]
    try:
        whole = with_index(with_anchors(text), spec.statements)
    except ValueError as error:
        faults.append(str(error))
        whole = text
    wanted = {
        SPEC: whole,
        REQUIREMENTS: as_json(spec, given(ids)),
        IDS: ids,
    }
    for path, text in wanted.items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if options.check:
            lacks = "lacks an anchor, or its index is old" if path == SPEC else "is not what SPEC.md says"
            faults.append(f"{path.relative_to(ROOT)} {lacks}; run make requirements")
        elif not spec.faults:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        levels = {level: sum(s.level == level for s in spec.statements) for level in ("MUST", "SHOULD", "MAY")}
        counted = ", ".join(f"{count} {level}" for level, count in levels.items())
        print(f"{len(spec.statements)} statements ({counted}), all ids in order")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
