"""One real Redis for all tests of the wire, and a stream name for each."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from redisipc_conformance.server import Server, choose
from redisipc_conformance.wire.address import Address
from redisipc_conformance.wire.client import Client


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with choose() as running:
        yield running


@pytest.fixture
def address(server: Server) -> Address:
    return Address.parse(server.url)


@pytest.fixture
async def client(address: Address) -> AsyncIterator[Client]:
    connected = Client(address)
    yield connected
    await connected.close()


@pytest.fixture
def key() -> str:
    return f"test-{uuid.uuid4().hex}"
