"""The steps of `make dist`. Each function is one, and returns a short result."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from .steps import Failed, Place, pip, run

FENCE = re.compile(r"^```python quickstart\.py\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def python_packages(place: Place) -> str:
    """A wheel and an sdist of each; the wheel is built from the sdist, as an installer would."""
    for folder in ("python", "conformance"):
        run([sys.executable, "-m", "build", "--outdir", str(place.out), str(place.clone / folder)], place.work)
    return ", ".join(path.name for path in sorted(place.out.iterdir()))


def metadata(place: Place) -> str:
    files = [str(path) for path in sorted(place.out.iterdir())]
    run([sys.executable, "-m", "twine", "check", "--strict", *files], place.work)
    wheels = [path for path in files if path.endswith(".whl")]
    # W002: some examples are equal on purpose, since two schemas read the same thing.
    run([sys.executable, "-m", "check_wheel_contents", "--ignore", "W002", *wheels], place.work)
    return "twine and check-wheel-contents have nothing to say"


def licences(place: Place) -> str:
    """The licence's text, unchanged, in each Python package."""
    text = (place.clone / "LICENSE").read_bytes()
    for path in sorted(place.out.iterdir()):
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                found = [wheel.read(name) for name in wheel.namelist() if name.endswith("/LICENSE")]
        else:
            with tarfile.open(path) as sdist:
                members = [member for member in sdist if member.name.endswith("/LICENSE")]
                found = [file.read() for member in members if (file := sdist.extractfile(member))]
        if found != [text]:
            raise Failed(f"{path.name} has {len(found)} licence texts; one, that of LICENSE, was expected")
    return "each has the text of LICENSE"


def library_in_a_fresh_environment(place: Place) -> str:
    """The wheel alone, and the first program of python/README.md."""
    python = place.environment("library")
    pip(python, str(place.one("redisipc_py-*.whl")))
    found = FENCE.search((place.clone / "python" / "README.md").read_text("utf-8"))
    if found is None:
        raise Failed("python/README.md has no block ```python quickstart.py")
    program = place.work / "quickstart.py"
    program.write_text(found[1], "utf-8")
    if not place.redis_url:
        raise Failed("REDIS_URL is not set; run this by `make dist`, which chooses a Redis")
    printed = run([str(python), str(program)], place.work, {"REDIS_URL": place.redis_url}).split()
    if printed != ["7", "rejected", "no", "such", "sku"]:
        raise Failed(f"the quickstart printed {printed}")
    helped = run([str(python.parent / "redisipc"), "--help"], place.work)
    if "exit statuses:" not in helped:
        raise Failed(f"redisipc --help printed {helped[:200]!r}")
    return "the quickstart prints what the README says, and the command redisipc is there"


def core_tests_of_the_sdist(place: Place) -> str:
    """Runs the sdist's tests without the repository, a Redis, or the suite's package."""
    python = place.environment("sdist")
    sdist = place.one("redisipc_py-*.tar.gz")
    shutil.unpack_archive(sdist, place.work / "sdist", filter="data")
    folder = next((place.work / "sdist").iterdir())
    pip(python, f"{folder}[test]")
    printed = run([str(python), "-m", "pytest", "-q", "tests/protocol"], folder)
    return printed.strip().splitlines()[-1]


def suite_in_a_fresh_environment(place: Place) -> str:
    python = place.environment("suite")
    pip(python, str(place.one("redisipc_conformance-*.whl")))
    command = str(python.parent / "redisipc-conformance")
    listed = run([command, "list"], place.work)
    return f"redisipc-conformance list has {len(listed.splitlines())} lines"


def node_package(place: Place) -> str:
    """`npm pack`, an install of it into an empty folder, and an import."""
    if not shutil.which("npm"):
        return "left out: it needs Node.js 20 or later, and npm"
    folder = place.clone / "interop" / "node"
    run(["npm", "ci", "--silent"], folder)
    run(["npm", "pack", "--silent", "--pack-destination", str(place.out)], folder)
    package = place.one("redisipc-*.tgz")
    with tarfile.open(package) as packed:
        names = packed.getnames()
    missing = {"package/LICENSE", "package/README.md", "package/dist/index.js", "package/dist/index.d.ts"} - set(names)
    if missing:
        raise Failed(f"{package.name} lacks {sorted(missing)}")
    user = place.work / "node-user"
    user.mkdir()
    Path(user, "package.json").write_text('{"type": "module", "private": true}', "utf-8")
    run(["npm", "install", "--silent", str(package)], user, {"PATH": os.environ["PATH"]})
    run(["node", "-e", 'import("redisipc").then(({ Stream }) => { if (!Stream) process.exit(1); })'], user)
    return f"{package.name} has {len(names)} files, and imports"
