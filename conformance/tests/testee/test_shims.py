"""Skeletons of shims: each speaks the protocol before its author has written a line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from redisipc_conformance.testee.check import check
from redisipc_conformance.testee.shims import LANGUAGES, ShimError, new_shim

PROGRAMS = {
    "python": sys.executable,
    "node": shutil.which("node"),
    "ruby": shutil.which("ruby"),
    "go": shutil.which("go"),
}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_skeleton_has_nothing_wrong(language: str, tmp_path: Path) -> None:
    program = PROGRAMS[language]
    if program is None:
        pytest.skip(f"there is no {language} here")
    new_shim(language, tmp_path)
    if language == "go":
        subprocess.run([program, "build", "-o", "shim", "."], cwd=tmp_path, check=True, capture_output=True)
        command = [str(tmp_path / "shim")]
    else:
        command = [program, str(tmp_path / LANGUAGES[language].files[0])]
    findings = await check(command, None)
    assert [finding for finding in findings if finding.verdict == "wrong"] == []


LINES = [
    b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":"1.0"}}\n',
    '{"jsonrpc":"2.0","id":2,"method":"frobnicate","params":{"a":"x\u2028y\u2029z\x85 \\u000b"}}\n'.encode(),
    '{"jsonrpc":"2.0","id":3,"method":"frobnicate","params":{"a":"漢"}}\n'.encode(),
]


@pytest.mark.parametrize("language", ["python", "node", "ruby"])
def test_a_line_of_a_skeleton_ends_at_a_line_feed_alone(language: str, tmp_path: Path) -> None:
    """Whatever the runtime's own line reader takes for an end, and wherever the pipe cuts a character in two."""
    program = PROGRAMS[language]
    if program is None:
        pytest.skip(f"there is no {language} here")
    new_shim(language, tmp_path)
    text = (tmp_path / LANGUAGES[language].files[0]).read_text()
    assert 'from "node:readline"' not in text or language != "node", (
        "Node's readline ends a line at U+2028 from version 24 on"
    )
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
    command = [program, str(tmp_path / LANGUAGES[language].files[0])]
    shim = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert shim.stdin is not None
    assert shim.stdout is not None
    with shim:
        sent = b"".join(LINES)
        for part in (sent[:100], sent[100:101], sent[101:-6], sent[-6:]):
            shim.stdin.write(part)
            shim.stdin.flush()
        answers = [json.loads(shim.stdout.readline()) for _ in range(3)]
        shim.stdin.close()
    assert sorted(answer["id"] for answer in answers) == [1, 2, 3]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_skeleton_says_where_the_port_goes(language: str, tmp_path: Path) -> None:
    written = new_shim(language, tmp_path / "new" / "folder")
    assert all(path.exists() for path in written)
    assert (tmp_path / "new/folder" / LANGUAGES[language].files[0]).read_text().count("TODO") >= 5
    assert LANGUAGES[language].command in (tmp_path / "new/folder/README.md").read_text()


@pytest.mark.parametrize(("language", "most"), [("python", 170), ("node", 170), ("ruby", 170), ("go", 260)])
def test_a_skeleton_stays_small(language: str, most: int, tmp_path: Path) -> None:
    main = new_shim(language, tmp_path)[0]
    assert len(main.read_text().splitlines()) <= most


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(ShimError, match=r"already there: .*README\.md; name another folder"):
        new_shim("python", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShimError, match="there are python, node, ruby, go"):
        new_shim("cobol", tmp_path)
