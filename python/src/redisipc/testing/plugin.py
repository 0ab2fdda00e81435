"""The plugin for pytest: the fixture ``ipc``, and ``--redisipc`` to choose what it runs on.

Load it with ``pytest_plugins = ["redisipc.testing.plugin"]`` in the top ``conftest.py``, or with
``pytest -p redisipc.testing.plugin``. A ``conftest.py`` that loads it may also import from it. Pytest does not warn then,
because this file has no assertions to rewrite (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from .hub import Hub
from .names import who
from .residue import ENDPOINTS

DEFAULT_IMAGE = "redis:7"
_STILL = "{} is still connected: call disconnect(), or use with"
_NONE = "none: give --redisipc-url, or set REDIS_URL"


class Ipc:
    """The value of the fixture ``ipc``. During the test, ``REDIS_URL`` is its ``url``.

    ``kind`` is hub, real or container. ``strict``: the test fails if it leaves something in Redis, or an endpoint
    connected.
    """

    def __init__(self, kind: str, url: str, hub: Hub | None) -> None:
        self.kind = kind
        self.url = url
        self.strict = True
        self._hub = hub

    @property
    def hub(self) -> Hub:
        """The hub. On a real Redis, a test that uses this is skipped."""
        if self._hub is None:
            pytest.skip(f"this needs a hub, and the tests run with --redisipc={self.kind}")
        return self._hub

    @property
    def on_hub(self) -> bool:
        """Whether there is a hub."""
        return self._hub is not None

    def __repr__(self) -> str:
        return f"<Ipc {self.kind} {self.url}>"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("redisipc", "programs that use RedisIPC")
    group.addoption(
        "--redisipc",
        choices=("hub", "real", "container"),
        default="hub",
        help="what the fixture ipc is: a hub in memory (default), the Redis of --redisipc-url, or a container",
    )
    group.addoption("--redisipc-url", default=None, help="for real: a database that is empty (default: REDIS_URL)")
    group.addoption("--redisipc-image", default=DEFAULT_IMAGE, help=f"for container (default: {DEFAULT_IMAGE})")


@pytest.fixture(scope="session")
def _redisipc_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of the Redis for the whole run; empty for a hub."""
    kind = pytestconfig.getoption("--redisipc")
    if kind == "hub":
        yield ""
    elif kind == "real":
        url = pytestconfig.getoption("--redisipc-url") or os.environ.get("REDIS_URL")
        if not url:
            pytest.fail(f"--redisipc=real needs a Redis, and there is {_NONE}", pytrace=False)
        yield url
    else:
        with _container(str(pytestconfig.getoption("--redisipc-image"))) as url:
            yield url


@pytest.fixture
def ipc(request: pytest.FixtureRequest, _redisipc_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ipc]:
    """A Redis for one test. It is empty at the beginning, and must be empty at the end."""
    kind = str(request.config.getoption("--redisipc"))
    if kind == "hub":
        with Hub() as hub:
            given = Ipc(kind, hub.url, hub)
            request.node.stash[_HUB] = hub
            monkeypatch.setenv("REDIS_URL", hub.url)
            yield given
            # An endpoint that leaves while its connection is down, or after a read that broke, leaves traces.
            connected = [_STILL.format(each) for each in _connected(hub, given)]
            left = hub.unstruck() or connected or ([] if hub.server.cut_somebody else hub.residue())
    else:
        with redis.Redis.from_url(_redisipc_url, protocol=2) as raw:
            others = _endpoints(raw)
            if raw.dbsize():
                who_is_there = f" (connected to it: {', '.join(sorted(others))})" if others else ""
                pytest.fail(
                    f"the database at {_redisipc_url} is not empty; give one that is the tests' own{who_is_there}",
                    pytrace=False,
                )
            given = Ipc(kind, _redisipc_url, None)
            monkeypatch.setenv("REDIS_URL", _redisipc_url)
            try:
                yield given
                left = [_STILL.format(each) for each in _stayed(raw, others, given)] or _entries(raw)
            finally:
                raw.flushdb()
    if left and given.strict:
        pytest.fail("left at the end of the test:\n  " + "\n  ".join(left), pytrace=False)


def _connected(hub: Hub, given: Ipc) -> list[str]:
    """The clients that are still connected, after some time for those that leave in the background."""
    return hub.connected(within=1.0) if given.strict else []


def _stayed(raw: redis.Redis, others: set[str], given: Ipc) -> list[str]:
    """The same on a real Redis, without ``others``, which were connected before the test."""
    end = time.monotonic() + 1.0
    while given.strict and (stayed := _endpoints(raw) - others):
        if time.monotonic() >= end:
            return sorted(stayed)
        time.sleep(0.02)
    return []


def _endpoints(raw: redis.Redis) -> set[str]:
    """The endpoints that are connected to this database, as ``group/instance``; none, if Redis does not tell."""
    try:
        rows: Any = raw.client_list()
    except redis.ResponseError:
        return set()
    database = str(raw.get_connection_kwargs().get("db") or 0)
    return {who(row["name"]) for row in rows if row["db"] == database and row["name"].endswith(ENDPOINTS)}


_HUB = pytest.StashKey[Hub]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A test that fails shows what happened on its hub."""
    outcome: Any = yield
    report = outcome.get_result()
    hub = item.stash.get(_HUB, None)
    if report.failed and hub is not None:
        report.sections.append(("RedisIPC: what happened", hub.story() or "nothing was asked"))


def _entries(raw: redis.Redis) -> list[str]:
    """Lists what is left on a real Redis: entries of streams."""
    found = []
    for key in raw.scan_iter(_type="stream"):
        rows: Any = raw.xrange(key)
        found += [f"entry {id.decode()} on stream {key.decode()!r}: {fields}" for id, fields in rows]
    return found


@contextlib.contextmanager
def _container(image: str) -> Iterator[str]:
    try:
        from testcontainers.core.container import DockerContainer  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        pytest.fail("--redisipc=container needs the package testcontainers: pip install testcontainers", pytrace=False)
    with DockerContainer(image).with_exposed_ports(6379) as container:
        url = f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"
        with redis.Redis.from_url(url, protocol=2) as raw:
            _until_it_answers(raw)
        yield url


def _until_it_answers(raw: redis.Redis, limit: float = 30.0) -> None:
    end = time.monotonic() + limit
    while True:
        try:
            raw.ping()
            return
        except redis.ConnectionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
