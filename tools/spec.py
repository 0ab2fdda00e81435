"""Parses SPEC.md: its numbered statements, its examples, and the parts that a tool draws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "SPEC.md"

ROLES = (
    "endpoint", "requester", "caller", "responder", "sender", "reader", "member", "channel", "port", "operator"
)  # fmt: skip
"""Whom a statement binds. A caller is a requester without a group of its own."""
PROFILES = ("base", "ask", "group", "channel", "resilient")
WORDS = ("MUST NOT", "MUST", "SHOULD NOT", "SHOULD", "MAY")

_EXPLAINED = "1 Scope and terms"
"""The section that says what the words mean."""
_VERSION = re.compile(r"^# RedisIPC (\d+\.\d+)", re.MULTILINE)
_SECTION = re.compile(r"^## (.+)$")
ITEM = re.compile(r"^- (?:<a id=\"([^\"]*)\"></a>)?\*\*(RIPC-[^*]*)\*\*\s*(.*)$")
"""A numbered statement: its anchor, its id, the rest."""
_ID = re.compile(r"RIPC-([A-Z]+)-([1-9][0-9]*)")
_BRACKETS = re.compile(r"^\(([a-z]+), ([a-z]+)(?:; feature ([a-z-]+))?\) (.+)$")
_RETIRED = re.compile(r"^retired in (\d+\.\d+): (\S.*\.)$")
_REASON = re.compile(r"^(.*?\S) \*Not tested: (\S.*\.)\*$")
_WORD = re.compile(r"\b(MUST NOT|MUST|SHOULD NOT|SHOULD|MAY|SHALL NOT|SHALL|REQUIRED|RECOMMENDED|OPTIONAL)\b")
_BLOCK = re.compile(r"^```json ([a-z-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKER = re.compile(r"^<!-- begin ([a-z-]+): drawn by tools/diagrams\.py -->$", re.MULTILINE)
_DRAWN = "<!-- begin {}: drawn by tools/diagrams.py -->\n", "<!-- end {} -->"


@dataclass(frozen=True)
class Statement:
    """A numbered statement. ``word`` is its keyword, ``level`` the same without NOT.

    ``feature`` is the optional feature that it belongs to, or None.
    """

    id: str
    level: str
    word: str
    role: str
    profile: str
    section: str
    text: str
    testable: bool
    reason: str = ""
    feature: str | None = None

    @property
    def anchor(self) -> str:
        """Where it is in SPEC.md, as the part of a link after ``#``."""
        return anchor(self.id)


@dataclass(frozen=True)
class Retired:
    """A statement that was retired in a version. Its id is never used again."""

    id: str
    version: str
    reason: str


@dataclass
class Spec:
    """The content of SPEC.md. ``faults`` are sentences about mistakes in its form, each with its line."""

    version: str = ""
    statements: list[Statement] = field(default_factory=list)
    retired: list[Retired] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        """All ids that were ever given, including retired ones."""
        return {statement.id for statement in self.statements} | self.retired_ids

    @property
    def retired_ids(self) -> set[str]:
        """The retired statements."""
        return {each.id for each in self.retired}


def anchor(id: str) -> str:
    """``RIPC-ROUTE-8`` to ``ripc-route-8``."""
    return id.lower()


def read(text: str) -> Spec:
    """Take ``text`` apart. It never raises: mistakes are in ``faults``."""
    found = _VERSION.search(text)
    spec = Spec(found.group(1) if found else "")
    if not spec.version:
        spec.faults.append("line 1: no version; the title is '# RedisIPC 1.0: ...'")
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        heading = _SECTION.match(line)
        if heading:
            section = heading.group(1)
        item = ITEM.match(line)
        if item:
            spec.faults += [f"line {number}: {fault}" for fault in _item(spec, section, item.group(2), item.group(3))]
        elif section != _EXPLAINED and _stray(line):
            spec.faults.append(f"line {number}: {_stray(line)} stands outside a numbered statement")
    spec.faults += _numbering(spec)
    return spec


def _item(spec: Spec, section: str, id: str, rest: str) -> Iterator[str]:
    if not _ID.fullmatch(id):
        yield f"{id} is not an id; one looks like RIPC-ENTRY-3"
        return
    if id in spec.ids:
        yield f"{id} stands here a second time"
        return
    if rest.startswith("retired"):
        found = _RETIRED.match(rest)
        spec.retired.append(Retired(id, *(found.groups() if found else ("", ""))))
        if not found:
            yield f"{id}: a retired id is written '- **{id}** retired in 1.1: why.'"
        return
    brackets = _BRACKETS.match(rest)
    if not brackets:
        yield f"{id}: after the id come (role, profile) or (role, profile; feature NAME), and the text"
        return
    role, profile, feature, text = brackets.groups()
    if role not in ROLES:
        yield f"{id}: no role {role!r}; there are {', '.join(ROLES)}"
    if profile not in PROFILES:
        yield f"{id}: no profile {profile!r}; there are {', '.join(PROFILES)}"
    reason = ""
    with_reason = _REASON.match(text)
    if with_reason:
        text, reason = with_reason.groups()
    elif "Not tested" in text:
        yield f"{id}: the end is written '*Not tested: why.*'"
    words = _WORD.findall(text)
    if len(words) != 1 or words[0] not in WORDS:
        yield f"{id}: exactly one of {', '.join(WORDS)}, not {', '.join(words) or 'none'}"
        return
    spec.statements.append(
        Statement(id, words[0].split()[0], words[0], role, profile, section, text, not reason, reason, feature)
    )


def _stray(line: str) -> str:
    """A word of RFC 2119 in the prose around the statements, which must not demand anything."""
    found = _WORD.search(line)
    return found.group(1) if found and not line.startswith("|") else ""


def _numbering(spec: Spec) -> Iterator[str]:
    areas: dict[str, list[int]] = {}
    for id in spec.ids:
        area, number = id.split("-")[1:]
        areas.setdefault(area, []).append(int(number))
    for area, numbers in areas.items():
        for missing in sorted(set(range(1, max(numbers) + 1)) - set(numbers)):
            yield f"RIPC-{area}-{missing} is missing; an id that is given up stays as '- **RIPC-{area}-{missing}** retired in ...'"


def examples(text: str) -> list[tuple[str, str, int]]:
    """The fenced blocks ``json NAME``: name of the schema, content, line."""
    return [(m.group(1), m.group(2), text.count("\n", 0, m.start()) + 1) for m in _BLOCK.finditer(text)]


def markers(text: str) -> list[str]:
    """The names of all parts that ``tools/diagrams.py`` draws, in their order."""
    return _MARKER.findall(text)


def drawn(text: str, name: str) -> str:
    """The text between the markers of ``name``. Raises ValueError unless each is there exactly once."""
    begin, end = (mark.format(name) for mark in _DRAWN)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"SPEC.md needs the lines '{begin.strip()}' and '{end}', in this order and once each")
    return text[text.index(begin) + len(begin) : text.index(end)]


def with_drawn(text: str, name: str, content: str) -> str:
    """``text`` with ``content`` between the markers of ``name``."""
    begin, end = (mark.format(name) for mark in _DRAWN)
    return text.replace(begin + drawn(text, name) + end, begin + content + end)
