"""Writes ``llms-full.txt``: everything that the author of a port needs, in one file and in reading order.

``python tools/llms.py`` writes it; with ``--check`` it says whether the file is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "llms-full.txt"
PARTS = {
    "docs/requester-in-one-page.md": "A requester without a group, in one page: enough for the profile ask",
    "docs/responder-in-one-page.md": "A responder in one page",
    "SPEC.md": "The specification; it decides every question",
    "conformance/vectors/README.md": "The test vectors, for content and channels",
    "conformance/docs/testee-protocol.md": "The program that the conformance suite drives",
    "conformance/docs/running.md": "How the suite is run, and what a verdict means",
}
WAY = """\
# RedisIPC, for those who write a port

This file has all documents that a port is written from. The way in order:

1. Read "A requester in one page". Write it, and pass the profile ask.
2. Read the specification, sections 1 to 8. Write the content's codec, and pass the vectors.
3. Write the profile base: names, entries, routing, requester, responder, timeouts, life.
4. Wrap the port in a testee, and run the suite: `redisipc-conformance run --profile base -- YOUR-TESTEE`.
5. Continue with the profiles group, resilient and channel. Each failure names the statement that it breaks.
"""


def text() -> str:
    """The file's content."""
    listed = "".join(f"- {name}: {title}\n" for name, title in PARTS.items())
    parts = [f"{WAY}\nThe parts:\n\n{listed}"]
    for name, title in PARTS.items():
        parts.append(f"<!-- {name} -->\n# {title}\n\n{(ROOT / name).read_text('utf-8').strip()}\n")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    wanted = text()
    if arguments == ["--check"]:
        if not FILE.is_file() or FILE.read_text("utf-8") != wanted:
            print("llms-full.txt is not up to date: run `make requirements`", file=sys.stderr)
            return 1
        return 0
    if arguments:
        print("usage: python tools/llms.py [--check]", file=sys.stderr)
        return 2
    FILE.write_text(wanted, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
