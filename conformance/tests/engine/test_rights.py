"""Endpoints with the least rights of section 2: what they may send, and that they converse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.conftest import JUDGE, Write, events, settings
from redisipc_conformance.engine.run import Engine
from redisipc_conformance.results import ScenarioEnded, Verdict
from redisipc_conformance.server import NoServer, Server, choose, private, rights
from redisipc_conformance.wire import resp
from redisipc_conformance.wire.address import Address
from redisipc_conformance.wire.client import Client

CONVERSE = """
- connect: a
- peer: b
- send: {from: a, to: b, content: ask}
  as: s
- read: {peer: b, of: s}
  as: q
- add: {answer: q, content: back}
- outcome: {of: s, is: fulfilled, content: back}
- add: {from: b, to: a, content: run}
  as: e
- received: {by: a, of: e}
  as: r
- fulfill: {request: r, content: done}
- entry: {answer_to: e, fields: {content: done}}
- disconnect: a
  check: it
"""


@pytest.fixture(scope="module")
def least() -> Iterator[Server]:
    for kind in ("local", "embedded"):
        try:
            server = choose(kind, locked=True, least=True)
        except NoServer:
            continue
        with server:
            yield server
        return
    pytest.skip("no server program is available")


async def refused(server: Server, *command: str) -> bool:
    client = Client(replace(Address.parse(server.url), username=rights.USER))
    try:
        reply = await client.reply(*command)
        return isinstance(reply, resp.ErrorReply) and reply.kind == "NOPERM"
    finally:
        await client.close()


async def test_the_user_may_send_what_section_2_lists_and_nothing_else(least: Server) -> None:
    for name in rights.commands():
        assert not await refused(least, *name.split(), "x"), name
    for name in ("CLIENT ID", "PUBLISH c m", "PING", "KEYS *", "XTRIM s MAXLEN 1", "XGROUP DESTROY s g", "FLUSHALL"):
        assert await refused(least, *name.split()), name


async def test_the_twin_of_such_a_server_has_the_user_too(least: Server) -> None:
    with private(least) as twin:
        assert await refused(twin, "PING")
        assert not await refused(twin, "GET", "x")


@pytest.mark.parametrize("head", ["", "needs: [flush]"])
async def test_an_endpoint_converses_with_these_rights_alone(least: Server, write: Write, head: str) -> None:
    scenario = write(CONVERSE, head=head)
    found = await events(Engine(settings(least_rights=True), least, [scenario], JUDGE))
    [ended] = [event.result for event in found if isinstance(event, ScenarioEnded)]
    assert ended.verdict is Verdict.PASS, ended.reason


def test_a_server_at_a_url_has_no_such_user(least: Server) -> None:
    with pytest.raises(NoServer, match="a server that the suite starts"):
        choose(least.url, locked=True, least=True)
