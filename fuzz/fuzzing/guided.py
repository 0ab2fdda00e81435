"""Fuzzes the same targets with atheris, which observes the branches that an input takes."""

from __future__ import annotations

import sys
from pathlib import Path

from .corpus import seeds
from .targets import TARGETS


def guided(target: str, seconds: int, found: Path) -> int:
    """Fuzz one target for some seconds. atheris ends the process itself; a failing input goes to ``found``."""
    try:
        import atheris
    except ImportError:
        print("atheris is not installed: pip install atheris (CPython 3.11 or 3.12 on Linux)", file=sys.stderr)
        return 2
    corpus = found / f"corpus-{target}"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(data)
    atheris.instrument_all()
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-artifact_prefix={found}/{target}-",
            "-rss_limit_mb=2048",
            str(corpus),
        ],
        TARGETS[target],
    )
    atheris.Fuzz()
    return 0
