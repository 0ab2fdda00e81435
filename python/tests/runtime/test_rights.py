"""The effects of a missing right: the table of SPEC.md, section 2, with one right taken away at a time. Both faces."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from redisipc import RedisIPCError

from ..support_server import Server
from .faces import Face, until

_ROOT = Path(__file__).parents[3]
_FILE = _ROOT / "schemas" / "1.0" / "tables" / "rights.json"
if not _FILE.is_file():
    pytest.skip("the tables are only in the repository", allow_module_level=True)

ROWS: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))["tables"][0]["rows"]
RIGHTS = {command: row["level"] for row in ROWS for command in row["commands"]}
CONTAINERS = {
    "XINFO": ["xinfo|groups", "xinfo|consumers", "xinfo|stream"],
    "XGROUP CREATE": ["xgroup|create"],
    "XGROUP CREATECONSUMER": ["xgroup|createconsumer"],
}
"""Commands whose parts are granted singly."""
REST = ["xgroup|delconsumer", "exec"]
"""Rights that nobody is asked to do without: deleting consumers can be left to others, and EXEC goes with MULTI."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


def granted(without: str | None) -> list[str]:
    """The ACL rules of the least rights, less one."""
    commands = [part for command in RIGHTS for part in CONTAINERS.get(command, [command.lower()])]
    taken = CONTAINERS.get(without, [without.lower()]) if without else []
    return [f"+{command}" for command in [*commands, *REST] if command not in taken]


@contextlib.contextmanager
def user(server: Server, without: str | None = None) -> Iterator[str]:
    """A URL with the name and the password of a user that lacks a right."""
    name = f"u{os.urandom(4).hex()}"
    with redis.Redis.from_url(server.url, protocol=2) as client:
        client.execute_command(
            "ACL", "SETUSER", name, "on", ">secret", "resetkeys", "~shop", "~shop:*", "resetchannels", "&shop:*",
            "-@all", "+auth", "+hello", "+select", *granted(without),
        )  # fmt: skip
        yield server.url.replace("redis://", f"redis://{name}:secret@")
        client.acl_deluser(name)
        client.flushall()


@pytest.fixture
def stream() -> str:
    return "shop"


async def asked(face: Face, web: Any, numbers: range, timeout: float = 5.0) -> list[Any]:
    """The answer of ``stock`` to each number; an error stands for itself."""
    futures = [web.submit(number, to="stock", timeout=timeout) for number in numbers]
    return await asyncio.gather(*(face.outcome(future) for future in futures), return_exceptions=True)


async def test_the_least_rights_are_enough(face: Face, server: Server) -> None:
    reports: list[Any] = []
    with user(server) as url:
        await conversation(face, url, reports)
        await in_a_group(face, url, reports)
    assert reports == []


@pytest.mark.parametrize("right", [name for name, level in RIGHTS.items() if level == "everything"])
async def test_everything_works_without_it(face: Face, server: Server, right: str) -> None:
    reports: list[Any] = []
    with user(server, right) as url:
        await conversation(face, url, reports)
        await in_a_group(face, url, reports)
    assert len(reports) <= 5, reports


@pytest.mark.parametrize("right", [name for name, level in RIGHTS.items() if level == "base"])
async def test_without_it_one_instance_a_group_converses_or_connecting_fails_and_names_it(
    face: Face, server: Server, right: str
) -> None:
    reports: list[Any] = []
    with user(server, right) as url:
        refused = ""
        try:
            await conversation(face, url, reports)
        except RedisIPCError as error:
            refused = str(error)
    assert not refused or right.lower() in refused.lower()
    # Reported once by each of the two endpoints and for each command, not once an attempt.
    assert len(reports) <= 12, reports


@pytest.mark.parametrize("right", [name for name, level in RIGHTS.items() if level == "nothing"])
async def test_what_is_missing_is_named_and_nothing_hangs(face: Face, server: Server, right: str) -> None:
    said: list[str] = []
    begin = time.monotonic()
    with user(server, right) as url:
        try:
            await joined(face, url, "stock", lambda error: said.append(str(error)), echo)
            web = await joined(face, url, "web", lambda error: said.append(str(error)))
            said += [str(answer) for answer in await asked(face, web, range(2), timeout=1.0)]
        except RedisIPCError as error:
            said.append(str(error))
        assert time.monotonic() - begin < 15
        assert any(right.split()[0].lower() in text.lower() for text in said), said


async def test_multi_taken_while_it_runs_loses_no_answer_and_reports_none_as_lost(face: Face, server: Server) -> None:
    """RIPC-RESP-26: answers are written by three commands then, and count as written."""
    reports: list[Any] = []
    with user(server) as url, redis.Redis.from_url(server.url) as operator:
        await joined(face, url, "stock", reports.append, echo)
        web = await joined(face, url, "web", reports.append)
        assert await asked(face, web, range(2)) == [0, 1]
        operator.acl_setuser(url.partition("//")[2].partition(":")[0], commands=["-multi"])
        assert await asked(face, web, range(20)) == list(range(20))
        await until(lambda: operator.xlen("shop") == 0, 5.0)
        texts = [str(report) for report in reports]
    assert all("multi" in text.lower() for text in texts), texts
    assert len(texts) <= 2, texts


async def joined(face: Face, url: str, group: str, on_error: Any, handler: Any = None) -> Any:
    made = face.stream("shop", group, handler, url=url, timeout=5.0, connect_timeout=3.0)
    made.on_error(on_error)
    await face.call(made.connect)
    return made


def echo(request: Any) -> Any:
    return request.content


async def conversation(face: Face, url: str, reports: list[Any]) -> None:
    """Two groups of one instance ask each other."""
    stock = await joined(face, url, "stock", reports.append, echo)
    web = await joined(face, url, "web", reports.append)
    assert await asked(face, web, range(20)) == list(range(20))
    await face.call(web.disconnect)
    await face.call(stock.disconnect)


async def in_a_group(face: Face, url: str, reports: list[Any]) -> None:
    """Two instances of one group ask: half of the responses are read by the other one, and handed over."""
    stock = await joined(face, url, "stock", reports.append, echo)
    one = await joined(face, url, "web", reports.append)
    two = await joined(face, url, "web", reports.append)
    answers = await asyncio.gather(asked(face, one, range(40)), asked(face, two, range(100, 140)))
    assert answers == [list(range(40)), list(range(100, 140))]
    for endpoint in (one, two, stock):
        await face.call(endpoint.disconnect)
