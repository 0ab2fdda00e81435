"""The catalogue of real-source mutants: patches against the ports in the tree, as ``real/*.yaml`` list them."""

from __future__ import annotations

import hashlib
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalogue import HERE
from ruamel.yaml import YAML

ROOT = HERE.parents[1]
FOLDER = HERE / "real"
NODE = ROOT / "interop" / "node"
NODE_SOURCES = "interop/node/src"
_PYTHON = ROOT / "python"
_TRANSPILE = """
const ts = require("typescript"), fs = require("fs");
const { config } = ts.readConfigFile("tsconfig.json", (name) => fs.readFileSync(name, "utf8"));
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ".");
Object.assign(options, { module: ts.ModuleKind.ES2022, moduleResolution: ts.ModuleResolutionKind.Bundler });
const how = { compilerOptions: options, reportDiagnostics: true };
const { outputText, diagnostics } = ts.transpileModule(fs.readFileSync(0, "utf8"), how);
for (const one of diagnostics) throw new Error(ts.flattenDiagnosticMessageText(one.messageText, "\\n"));
process.stdout.write(outputText);
"""


@dataclass(frozen=True)
class Patch:
    """One wrong behaviour of one port. ``edits``: what stands in ``file`` exactly once, and what stands there instead."""

    name: str
    on: str
    kind: str
    breaks: tuple[str, ...]
    fault: str
    file: str
    edits: tuple[tuple[str, str], ...]
    survives: str = ""
    """Why no check catches it, where none does."""

    def applied(self, text: str) -> str:
        """The source with the fault. Raises ValueError where the source has changed so that it cannot be put in."""
        for find, put in self.edits:
            if text.count(find) != 1:
                raise ValueError(
                    f"{self.name}: {self.file} has {text.count(find)} times, not once: {find.strip()[:80]}"
                )
            text = text.replace(find, put)
        return text


def load() -> list[Patch]:
    """All of them, in the order of the files."""
    return [
        _patch(row) for file in sorted(FOLDER.glob("*.yaml")) for row in YAML(typ="safe").load(file.read_text("utf-8"))
    ]


def _patch(row: dict[str, Any]) -> Patch:
    edits = tuple((edit["find"], edit["put"]) for edit in row["edits"])
    breaks = tuple(row["breaks"])
    return Patch(row["name"], row["on"], row["kind"], breaks, row["fault"], row["file"], edits, row.get("survives", ""))


def command(on: str, sources: Path | None = None) -> list[str]:
    """The testee of a port; with its sources in another folder, where they are changed."""
    runtime, _, ask = on.partition("-")
    if runtime == "node":
        return ["node", str((sources or NODE) / "dist" / "testee.js"), *(["--ask"] if ask else [])]
    testee = [sys.executable, str(_PYTHON / "testee" / "testee.py"), "--runtime", runtime, *(["--ask"] if ask else [])]
    return testee if sources is None else ["env", f"PYTHONPATH={sources}", *testee]


def make(patch: Patch, folder: Path) -> list[str]:
    """The command of the port with the fault, whose sources are in ``folder`` from now on. Raises ValueError."""
    shutil.rmtree(folder, ignore_errors=True)
    source = ROOT / patch.file
    text = patch.applied(source.read_text("utf-8"))
    if patch.on.startswith("node"):
        return _make_node(patch, folder, text)
    copy = folder / "src"
    _compiled()
    shutil.copytree(_PYTHON / "src", copy, ignore=shutil.ignore_patterns("*.egg-info"))
    changed = copy / source.relative_to(_PYTHON / "src")
    changed.write_text(text, "utf-8")
    py_compile.compile(str(changed), quiet=1)
    return command(patch.on, copy)


@lru_cache(None)
def _compiled() -> None:
    """Each copy takes the compiled files along: each scenario starts processes of its own, and none of them compiles."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(_PYTHON / "src")], check=False)


def _make_node(patch: Patch, folder: Path, text: str) -> list[str]:
    """The built port with one file compiled anew. Types are not checked: that costs more than the trial."""
    built = (NODE / "dist" / Path(patch.file).relative_to(NODE_SOURCES)).with_suffix(".js")
    if not built.exists():
        raise ValueError(f"{patch.name}: {built.relative_to(ROOT)} is missing; run make node")
    shutil.copytree(NODE / "dist", folder / "dist")
    for name in ("package.json", "node_modules"):
        (folder / name).symlink_to(NODE / name)
    made = subprocess.run(["node", "-e", _TRANSPILE], cwd=NODE, input=text, capture_output=True, text=True, check=False)
    if made.returncode:
        raise ValueError(f"{patch.name} does not compile: {(made.stdout + made.stderr).strip()[:300]}")
    (folder / built.relative_to(NODE)).write_text(made.stdout, "utf-8")
    return command(patch.on, folder)


def sources_of(on: str) -> Iterator[Path]:
    """The files that a verdict about this port comes from."""
    folders = (NODE / "src", NODE / "testee") if on.startswith("node") else (_PYTHON / "src", _PYTHON / "testee")
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".ts"))


def digest(*parts: bytes) -> str:
    """Short, and another one where a part is another."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
