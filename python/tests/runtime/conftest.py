"""The faces under test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from ..conftest import DOUBLE
from .faces import FACES, Face
from .programs import Program


@pytest_asyncio.fixture(params=["threads", "asyncio"])
async def face(request: Any, stream: str) -> AsyncIterator[Face]:
    # The stream comes first, so that it is deleted when all who are on it have left.
    face = Face(request.param, FACES[request.param])
    yield face
    await face.close()


@pytest.fixture(autouse=True)
def _no_url(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, url: str) -> None:
    """Tests name the server, or mean this one. With --double that is a hub, without a socket in between."""
    monkeypatch.setenv("REDIS_URL", f"memory://{DOUBLE}" if pytestconfig.getoption("--double") else url)


@pytest.fixture
def run() -> Iterator[Any]:
    """Run a program; see ``Program``."""
    programs: list[Program] = []

    def run(text: str, *arguments: str, **options: Any) -> Program:
        programs.append(Program(text, *arguments, **options))
        return programs[-1]

    yield run
    for program in programs:
        program.stop()
