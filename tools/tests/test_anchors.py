"""Each statement of SPEC.md can be linked to, and the index has each of them once."""

from __future__ import annotations

import re

import pytest

from anchors import index, links, with_anchors, with_index
from spec import ITEM, SPEC, read

PLAIN = "- **RIPC-ENTRY-1** (sender, base) It MUST be.\n"
WHOLE = '- <a id="ripc-entry-1"></a>**RIPC-ENTRY-1** (sender, base) It MUST be.\n'


def test_an_anchor_that_lacks_or_is_another_ones_is_put_right() -> None:
    for line in (PLAIN, WHOLE, WHOLE.replace("entry-1", "entry-9")):
        assert with_anchors(f"a\n{line}b\n") == f"a\n{WHOLE}b\n"
    other = '- **bold** text\n- <a id="x"></a>more\n'
    assert with_anchors(other) == other


def test_a_statement_reads_the_same_with_its_anchor() -> None:
    head = "# RedisIPC 1.0: x\n\n## 4 The entry\n\n"
    assert read(head + PLAIN).statements == read(head + WHOLE).statements
    assert read(head + WHOLE).faults == []


def test_the_index_stands_between_its_markers() -> None:
    statements = read("# RedisIPC 1.0: x\n## 4 The entry\n" + PLAIN).statements
    text = "a\n<!-- begin index -->\nold\n<!-- end index -->\nb\n"
    row = "| sender | base | ENTRY [1](#ripc-entry-1) |\n"
    assert with_index(text, statements) == text.replace("old\n", index(statements))
    assert index(statements).endswith(row)
    assert with_index("a\n", statements) == "a\n"
    with pytest.raises(ValueError, match="once each"):
        with_index("a\n<!-- begin index -->\n", statements)


def test_every_statement_of_the_spec_has_its_anchor_and_stands_in_the_index() -> None:
    text = SPEC.read_text(encoding="utf-8")
    spec = read(text)
    anchors = [found.group(1) for found in map(ITEM.match, text.splitlines()) if found]
    assert anchors == [id.lower() for id in (found.group(2) for found in map(ITEM.match, text.splitlines()) if found)]
    assert sorted(links(index(spec.statements))) == sorted(each.anchor for each in spec.statements)
    assert with_index(text, spec.statements) == text


def test_every_link_within_the_spec_leads_somewhere() -> None:
    text = SPEC.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    places = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    places |= set(re.findall(r'<a id="([^"]+)"></a>', text))
    assert set(links(text)) - places == set()
