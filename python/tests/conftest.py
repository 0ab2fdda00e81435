"""Fixtures of all tests: a server, a stream's name of one's own, and a raw client to look from outside."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import hypothesis
import pytest
import redis

if TYPE_CHECKING:
    from .support_server import Server

# A machine that is busy with something else is not a failure.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


DOUBLE = "tests"
"""The name of the hub that stands for the server with --double."""
OF_A_REAL_ONE = {
    "test_certificates.py": "TLS",
    "test_cluster.py": "cluster",
    "test_interruptions.py": "place in another process",
    "test_processes.py": "place in another process",
    "test_rights.py": "users with other rights",
    "test_sentinels.py": "Sentinels",
    "test_servers.py": "place in another process",
}
"""Files of `runtime/` that need what a hub does not have. All others run on both, and a new one does without a word here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--double", action="store_true", help="a hub of redisipc.testing in the place of the shared server"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Slow files come first, so that none is left over at the end. What a hub does not have is skipped, with its name."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    if config.getoption("--double"):
        for item in items:
            lacks = _lacks(item)
            if lacks:
                item.add_marker(pytest.mark.skip(reason=f"a hub has no {lacks}"))


def _lacks(item: pytest.Item) -> str:
    """A test's need that a hub does not meet; empty where it does."""
    mark = item.get_closest_marker("real")
    if mark is not None:
        return str(mark.args[0])
    if "server" in getattr(item, "fixturenames", ()):
        return "process that can be killed"
    return OF_A_REAL_ONE.get(item.path.name, "") if "storm" not in item.path.parts else "place in another process"


@pytest.fixture(scope="session")
def url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of the server that is there for the whole run; which one is printed."""
    if pytestconfig.getoption("--double"):
        from redisipc.testing import Hub

        with Hub(DOUBLE) as hub:
            yield hub.listen()
        return
    # Not above: the core's tests run without the package that chooses a server.
    from .support_server import choose

    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        server = choose(say=lambda line: print(f"\n{line}", flush=True))
    with server:
        yield server.url


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of the test's own, to be killed, paused and started again."""
    from .support_server import Server

    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def raw(url: str) -> Iterator[redis.Redis]:
    """A plain client of the server."""
    # RESP2: what the double speaks.
    with redis.Redis.from_url(url, protocol=2) as client:
        yield client


@pytest.fixture
def stream(raw: redis.Redis) -> Iterator[str]:
    """The name of a stream that nobody else uses; what is left of it is deleted."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    yield name
    keys = [name, *raw.scan_iter(f"{name}:*")]
    raw.delete(*keys)
