"""The shop of two services, tested by its own tests: without a Redis, and with one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

pytest.importorskip("fastapi", reason="the example needs fastapi and httpx: pip install 'redisipc-py[examples]'")
pytest.importorskip("httpx", reason="the example needs fastapi and httpx: pip install 'redisipc-py[examples]'")

SHOP = Path(__file__).parents[2] / "examples" / "shop"


def shop(*options: str) -> str:
    """Run the tests of the example in its own folder, as its reader does."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *options], cwd=SHOP, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_without_a_redis() -> None:
    assert "6 passed" in shop("--redisipc=hub")


def test_with_a_redis_by_the_same_tests(server: object) -> None:
    said = shop("--redisipc=real", f"--redisipc-url={server.url}")  # type: ignore[attr-defined]
    assert "4 passed, 2 skipped" in said
    assert "this needs a hub" in said
