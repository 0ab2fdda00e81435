"""The command line in the tests' own process, a stream of the test's own, and peers on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import redis
from jsonschema import Draft202012Validator

from redisipc import Stream
from redisipc.cli.main import main

from ..support_shared import SHARED
from .gem import Gem


class Ran(NamedTuple):
    """How a command ended: its exit status, stdout and stderr."""

    status: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of ``--json``."""
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, schema: str) -> list[dict[str, Any]]:
        """The lines of ``--json``, each of which is what ``schemas/cli-1/<schema>.json`` says."""
        content = json.loads((SHARED / "schemas" / "cli-1" / f"{schema}.json").read_text("utf-8"))
        for record in self.records:
            Draft202012Validator(content).validate(record)
            assert set(record) <= set(content["properties"])
        return self.records


Cli = Callable[..., Ran]


@pytest.fixture
def cli(url: str, stream: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command on the test's stream."""
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setenv("REDISIPC_STREAM", stream)

    def run(*words: str) -> Ran:
        capsys.readouterr()
        try:
            status = main(list(words))
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return run


def handle(request: Any) -> Any:
    """Echoes; rejects what says so; waits as long as it says."""
    content = request.content
    if isinstance(content, dict) and "reject" in content:
        request.reject(content["reject"])
        return None
    if content == "ignore":
        request.ignore()
        return None
    if content == "later":
        request.later()
        return None
    return content


@pytest.fixture
def serve(url: str, stream: str) -> Iterator[Callable[..., Stream]]:
    """Connect an endpoint that echoes; it leaves at the end."""
    made: list[Stream] = []

    def start(group: str, handler: Any = handle, **options: Any) -> Stream:
        endpoint = Stream(stream, group, url=url, **options)
        if handler is not None:
            endpoint.on_request(handler)
        made.append(endpoint.connect())
        return endpoint

    yield start
    for endpoint in made:
        endpoint.disconnect(0.2)


@pytest.fixture
def gem(raw: redis.Redis, stream: str) -> Iterator[Callable[..., Gem]]:
    """An instance that looks on the wire like a gem's; it stops at the end."""
    made: list[Gem] = []

    def start(group: str, **options: Any) -> Gem:
        made.append(Gem(raw, stream, group, **options))
        return made[-1]

    yield start
    for each in made:
        each.stop()
