"""The code of a Markdown file: fenced blocks with a language and a name, ```python quickstart.py."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
FENCE = re.compile(r"^```(\w+)?[ ]?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = ("README.md", "python/README.md", "docs/from-ruby.md", *(f"docs/python/{name}.md" for name in (
    "channels", "errors", "from-celery", "operations", "options",
)))  # fmt: skip
"""The root's README has one example, which python/README.md has too."""


def blocks(file: str, language: str = "python") -> dict[str, str]:
    """The blocks of a file by name; one that has none is under ''."""
    text = (ROOT / file).read_text("utf-8")
    return {name: body for kind, name, body in FENCE.findall(text) if kind == language}


def every(language: str = "python") -> dict[str, str]:
    """The blocks of all files by name."""
    return {name: body for file in FILES for name, body in blocks(file, language).items() if name}
