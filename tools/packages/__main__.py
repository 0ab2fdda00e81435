"""``make dist``: builds every package from a clean copy and checks it.

It installs each one into a fresh environment, and runs its first program there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from . import checks
from .steps import Failed, Place, run

ROOT = Path(__file__).resolve().parents[2]


def copy(target: Path) -> Path:
    """Copies the files of git, and nothing that a build left: a package that builds here builds from a fresh clone."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT, quiet=True)
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    return target


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m packages", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "dist", help="where the packages go")
    options = parser.parse_args(arguments)
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="redisipc-dist-") as folder:
        place = Place(copy(Path(folder, "clone")), options.out, Path(folder), os.environ.get("REDIS_URL"))
        steps: list[Callable[[Place], str]] = [
            checks.python_packages,
            checks.metadata,
            checks.licences,
            checks.library_in_a_fresh_environment,
            checks.core_tests_of_the_sdist,
            checks.suite_in_a_fresh_environment,
            checks.node_package,
        ]
        failed = 0
        for step in steps:
            try:
                print(f"ok    {step.__name__.replace('_', ' ')}: {step(place)}", flush=True)
            except Failed as error:
                failed += 1
                print(f"FAIL  {step.__name__.replace('_', ' ')}: {error}", flush=True)
    print(
        f"{failed} of {len(steps)} steps failed"
        if failed
        else f"all {len(steps)} steps passed; the packages are in {options.out}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
