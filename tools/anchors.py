"""The anchors of SPEC.md's statements, and its index by role and profile that links to them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from spec import ITEM, PROFILES, ROLES, Statement, anchor

_BEGIN, _END = "<!-- begin index -->\n", "<!-- end index -->"


def with_anchors(text: str) -> str:
    """``text`` where each statement has its anchor before its id: ``- <a id="ripc-route-8"></a>**RIPC-ROUTE-8** ...``."""
    return "".join(_anchored(line) for line in text.splitlines(keepends=True))


def _anchored(line: str) -> str:
    item = ITEM.match(line)
    if not item:
        return line
    return f'- <a id="{anchor(item.group(2))}"></a>{line[line.index("**") :]}'


def with_index(text: str, statements: Sequence[Statement]) -> str:
    """``text`` with the index between its markers. Raises ValueError if only one of them is there."""
    if _BEGIN not in text and _END not in text:
        return text
    if text.count(_BEGIN) != 1 or text.count(_END) != 1 or text.index(_BEGIN) > text.index(_END):
        raise ValueError(f"SPEC.md needs the lines '{_BEGIN.strip()}' and '{_END}', in this order and once each")
    head, _, rest = text.partition(_BEGIN)
    return head + _BEGIN + index(statements) + rest[rest.index(_END) :]


def index(statements: Sequence[Statement]) -> str:
    """One table: a row for each role and profile that has statements, the statements by area."""
    lines = ["| role | profile | statements |", "| --- | --- | --- |"]
    for role in ROLES:
        for profile in PROFILES:
            found = [each for each in statements if (each.role, each.profile) == (role, profile)]
            if found:
                lines.append(f"| {role} | {profile} | {_by_area(found)} |")
    return "\n".join(lines) + "\n"


def _by_area(statements: Sequence[Statement]) -> str:
    areas: dict[str, list[str]] = {}
    for each in statements:
        _, area, number = each.id.split("-")
        areas.setdefault(area, []).append(f"[{number}](#{each.anchor})")
    return "; ".join(f"{area} {' '.join(links)}" for area, links in areas.items())


def links(text: str) -> list[str]:
    """The anchors to which ``text`` links within itself."""
    return re.findall(r"\]\(#([^)\s]+)\)", text)
