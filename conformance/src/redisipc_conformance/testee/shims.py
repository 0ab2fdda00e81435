"""``new-shim``: writes a skeleton of a shim that already speaks the protocol. The author adds the calls of the port."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


@dataclass(frozen=True)
class Language:
    """The parts of a skeleton. ``command``: how to run it, in its folder. ``note``: notes for its user."""

    files: tuple[str, ...]
    command: str
    note: str = ""


LANGUAGES = {
    "python": Language(("testee.py",), "python testee.py"),
    "node": Language(("testee.mjs",), "node testee.mjs"),
    "ruby": Language(("testee.rb",), "ruby testee.rb"),
    "go": Language(("main.go", "go.mod"), "go run .", "The Go skeleton has been read, not compiled."),
}


class ShimError(Exception):
    """The language is unknown, or a file exists already."""


def new_shim(language: str, folder: Path) -> list[Path]:
    """Writes the skeleton into ``folder`` (made where it is missing) and returns the files, a README.md among them.

    Never overwrites: raises ``ShimError`` before anything is written.
    """
    if language not in LANGUAGES:
        raise ShimError(f"there is no skeleton for {language!r}; there are {', '.join(LANGUAGES)}")
    about = LANGUAGES[language]
    templates = files("redisipc_conformance.testee") / "templates"
    texts = {folder / name: (templates / language / f"{name}.tmpl").read_text("utf-8") for name in about.files}
    readme = (templates / "README.md.tmpl").read_text("utf-8")
    texts[folder / "README.md"] = readme.replace("{command}", about.command).replace("{file}", about.files[0])
    in_the_way = [str(path) for path in texts if path.exists()]
    if in_the_way:
        raise ShimError(f"already there: {', '.join(in_the_way)}; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    return list(texts)
