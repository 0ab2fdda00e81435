"""Node.js for checks of the schemas: ajv in its strict mode is a second opinion beside Python's jsonschema."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

from spec import ROOT

FOLDER = ROOT / "tools" / "node"
NEEDED = 20
"""The lowest major version of Node.js that is used."""


class Opinion(NamedTuple):
    """``refused``: the schemas that do not compile, with the reason.

    ``verdicts``: for each case, or None if its schema does not compile.
    """

    refused: dict[str, str]
    verdicts: list[bool | None]


def missing() -> str:
    """The reason why Node.js cannot be used here. Empty if it can."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "left out: it needs Node.js and npm"
    version = run(["node", "--version"]).strip()
    major = int(version.lstrip("v").split(".")[0])
    return "" if major >= NEEDED else f"left out: it needs Node.js {NEEDED} or later, not {version}"


def install(*, generators: bool = False) -> None:
    """Put ajv into tools/node, and with ``generators`` quicktype and TypeScript, if they are missing. Raises
    RuntimeError with npm's message.
    """
    needed = ("ajv", "quicktype-core", "typescript") if generators else ("ajv",)
    if not all((FOLDER / "node_modules" / name).is_dir() for name in needed):
        run(["npm", "ci", *([] if generators else ["--omit=dev"]), "--no-audit", "--no-fund", "--silent"])


def opinion(schemas: Sequence[dict[str, Any]], cases: Sequence[tuple[str, Any]]) -> Opinion:
    """The verdicts of ajv on the schemas, and of the cases: the id of a schema, and a value."""
    question = {"schemas": schemas, "cases": [{"schema": id, "value": value} for id, value in cases]}
    answer = json.loads(run(["node", "verdicts.mjs"], json.dumps(question)))
    return Opinion(answer["refused"], answer["verdicts"])


def run(command: list[str], text: str = "") -> str:
    """The standard output of a command in tools/node. Raises RuntimeError with the end of its output if it fails."""
    done = subprocess.run(
        command, cwd=FOLDER, input=text, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} in {FOLDER} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout
