"""The testees of this repository speak UTF-8, whatever the locale of the machine says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from redisipc_conformance.files import suite_folder

ROOT = Path(__file__).parents[3]
TESTEES = {
    "threads": [str(ROOT / "python/testee/testee.py"), "--runtime", "threads"],
    "asyncio": [str(ROOT / "python/testee/testee.py"), "--runtime", "asyncio"],
    "model": [str(suite_folder() / "mutants/testee.py")],
}
LOCALES = [{"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}]


@pytest.mark.parametrize("locale", LOCALES, ids=["latin-1", "C"])
@pytest.mark.parametrize("testee", TESTEES)
def test_a_text_goes_there_and_back(testee: str, locale: dict[str, str]) -> None:
    if not Path(TESTEES[testee][0]).is_file():
        pytest.skip("needs a checkout")
    params = {"protocol": "1.0"}
    calls = [("hello", params), ("disconnect", {"endpoint": "é漢\U0001f600"})]
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": id, "method": m, "params": p}, ensure_ascii=False)
        for id, (m, p) in enumerate(calls)
    ]
    shim = subprocess.Popen(
        [sys.executable, *TESTEES[testee]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **locale}
    )
    assert shim.stdin is not None
    assert shim.stdout is not None
    with shim:
        shim.stdin.write("".join(line + "\n" for line in lines).encode())
        shim.stdin.flush()
        answers = [json.loads(shim.stdout.readline().decode("utf-8")) for _ in calls]
        shim.stdin.close()
    [refusal] = [answer for answer in answers if answer["id"] == 1]
    assert "é漢\U0001f600" in refusal["error"]["message"]
