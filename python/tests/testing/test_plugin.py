"""The plugin: what it says of a test that leaves something, and of one that fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from redisipc import Stream

from ..support_server import Server

TESTS = """
from redisipc import Caller, Stream

kept = []

def ask(to):
    stock = Stream("shop", "stock")
    stock.on_request(lambda request: request.content + 1)
    with stock, Stream("shop", "web") as web:
        return web.request(1, to="stock")

def test_passes(ipc):
    assert ask("stock") == 2
    assert ipc.hub.requests[0].answer == 2

def test_fails(ipc):
    assert ask("stock") == 3

def test_leaves_something(ipc):
    ipc.hub.server.execute(ipc.hub.server.connect("x", print, print), ("XADD", b"shop", "*", b"a", b"b"))

def test_arms_a_fault_that_never_strikes(ipc):
    ipc.hub.cut_after("XADD", "stok")

def test_leaves_an_endpoint_connected(ipc):
    kept.append(Stream("shop", "audit").connect())

def test_may_leave_an_endpoint_connected(ipc):
    ipc.strict = False
    test_leaves_an_endpoint_connected(ipc)

def test_a_caller_needs_no_end(ipc):
    stock = Stream("shop", "stock")
    stock.on_request(lambda request: request.content)
    with stock:
        kept.append(Caller("shop"))
        assert kept[-1].request(1, to="stock") == 1

def test_may_leave_something_after_a_fault(ipc):
    test_leaves_something(ipc)
    with Stream("shop", "stock"):
        assert ipc.hub.cut("stock")

def test_may_leave_something(ipc):
    test_leaves_something(ipc)
    ipc.strict = False
"""


REAL = """
from redisipc import Caller, Stream

kept = []

def test_leaves_none(ipc):
    stock = Stream("shop", "stock")
    stock.on_request(lambda request: request.content)
    with stock:
        kept.append(Caller("shop"))
        assert kept[-1].request(1, to="stock") == 1

def test_leaves_an_endpoint_connected(ipc):
    kept.append(Stream("shop", "audit").connect())
"""


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:asyncio", *options, str(folder)],
        cwd=folder, capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )  # fmt: skip


def test_a_failure_shows_what_happened_and_a_residue_is_one(tmp_path: Path) -> None:
    (tmp_path / "test_them.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["redisipc.testing.plugin"]\n')
    done = pytest_in(tmp_path)
    said = done.stdout
    assert "1 failed, 8 passed, 3 errors" in said, said + done.stderr
    assert "RedisIPC: what happened" in said
    assert "asks stock: 1 [" in said
    assert "cut_after('XADD', 'stok') did not strike: no such command came" in said
    assert re.search(r"audit/[0-9a-f]{6} is still connected: call disconnect\(\), or use with", said), said
    assert "what is not an entry of RedisIPC on stream 'shop'" in said


def test_a_conftest_that_loads_the_plugin_may_import_its_type(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        'from redisipc.testing.plugin import Ipc\n\npytest_plugins = ["redisipc.testing.plugin"]\n'
    )
    (tmp_path / "test_it.py").write_text("def test_it(ipc):\n    assert ipc.on_hub\n")
    done = pytest_in(tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_real_redis_tells_who_stays_connected(tmp_path: Path, server: Server) -> None:
    (tmp_path / "test_them.py").write_text(REAL)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["redisipc.testing.plugin"]\n')
    options = ("--redisipc=real", f"--redisipc-url={server.url}")
    # Somebody who uses another database of the server is nobody's business.
    with Stream("others", "other", url=server.url.replace("/0", "/1")):
        said = pytest_in(tmp_path, *options).stdout
    assert "2 passed, 1 error" in said, said
    assert re.search(r"audit/[0-9a-f]{6} is still connected: call disconnect\(\), or use with", said), said
    assert "other/" not in said
    with Stream("shop", "audit", url=server.url) as audit:
        said = pytest_in(tmp_path, *options).stdout
        assert f"is not empty; give one that is the tests' own (connected to it: audit/{audit.instance})" in said, said
