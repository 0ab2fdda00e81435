"""The tables of CONTRIBUTING.md lead to files that exist, and to all rooms of the library and the suite."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from spec import ROOT

TEXT = (
    (ROOT / "CONTRIBUTING.md")
    .read_text(encoding="utf-8")
    .partition("## Where to change what\n")[2]
    .partition("\n## ")[0]
)
TWINS = ("threads", "asyncio")
PATH = re.compile(r"`([\w./-]+(?:/|\.(?:py|ts|md|json|rb)))`")


def named() -> Iterator[str]:
    """Each path that a table names, from the top of the repository. The head of a column says where its paths begin."""
    heads: list[str] = []
    before = ""
    for line in TEXT.splitlines():
        if not line.startswith("|"):
            before = ""
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not before:
            heads = [match[1] if (match := PATH.search(cell)) else "" for cell in cells]
        elif not line.startswith("| ---"):
            for cell, head in zip(cells, heads, strict=True):
                yield from whole(cell, head)
        before = line


def whole(cell: str, head: str) -> Iterator[str]:
    for path in PATH.findall(cell):
        if "of each twin" in cell and "/" not in path:
            yield from (f"{head}runtime/{twin}/{path}" for twin in TWINS)
        elif head and (ROOT / head / path).exists():
            yield f"{head}{path}"
        else:
            yield path


@pytest.mark.parametrize("path", sorted(set(named())))
def test_a_path_of_the_map_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("folder", ["python/src/redisipc/protocol", "conformance/src/redisipc_conformance/verdict"])
def test_the_map_is_read(folder: str) -> None:
    assert sum(path.startswith(folder) for path in named()) >= 2


SEARCHED = ("python/src/redisipc/protocol", "python/src/redisipc/runtime", "interop/node/src")
AT_THE_TOP = {"__init__.py", "index.ts", "version.ts"}
"""Names and versions only."""


@pytest.mark.parametrize("top", SEARCHED)
def test_the_map_has_every_file_of_a_port(top: str) -> None:
    found = {str(path.relative_to(ROOT)) for kind in ("*.py", "*.ts") for path in (ROOT / top).rglob(kind)}
    led = set(named())
    folders = tuple(path for path in led if path.endswith("/") and path.rstrip("/") not in SEARCHED)
    left = {path for path in found - led if not path.startswith(folders) and path.rpartition("/")[2] not in AT_THE_TOP}
    assert sorted(left) == []


ROOMS = ("python/src/redisipc", "conformance/src/redisipc_conformance")


@pytest.mark.parametrize(
    "room", sorted(str(p.parent.relative_to(ROOT)) for top in ROOMS for p in (ROOT / top).glob("*/__init__.py"))
)
def test_the_map_leads_into_each_room(room: str) -> None:
    assert [path for path in named() if path.startswith(f"{room}/")]
