"""A Redis for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from redisipc_conformance.server import choose


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with choose() as server:
        yield server.url
