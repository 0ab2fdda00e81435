"""A cluster is ready for the next fault when all its nodes tell the same of all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from chaos.lab.cluster import Cluster
from chaos.lab.redis import Away

FIRST = "a1 127.0.0.1:1@10001 myself,master - 0 0 1 connected 0-5 [3->-b2]"
SECOND = "b2 127.0.0.1:2@10002 {flags} {master} 0 0 2 connected"


def cluster(*views: Any) -> Cluster:
    """One node for each view: what it answers to CLUSTER NODES, or the error."""

    def says(view: Any) -> Any:
        async def redis(*_: Any, seconds: float) -> bytes:
            if isinstance(view, Exception):
                raise view
            return cast(bytes, view.encode())

        return SimpleNamespace(redis=redis)

    made = Cluster("redis-server")
    made.nodes = [says(view) for view in views]
    return made


def view(flags: str = "slave", master: str = "a1", mine: str = FIRST) -> str:
    return f"{mine}\n{SECOND.format(flags=flags, master=master)}\n"


@pytest.mark.parametrize(
    ("other", "agreed"),
    [
        pytest.param(view("myself,slave", mine=FIRST.replace("myself,", "")), True, id="the same, from its own place"),
        pytest.param(view("master", "-"), False, id="a replica is a master for one"),
        pytest.param(view(mine=FIRST.replace("0-5", "0-4")), False, id="a slot is elsewhere"),
        pytest.param(view("slave,fail?"), False, id="one seems to have failed"),
        pytest.param(Away("it stands still"), False, id="one does not answer"),
    ],
)
async def test_all_nodes_must_tell_the_same(other: Any, agreed: bool) -> None:
    assert await cluster(view(), other).agreed() is agreed


async def test_what_all_take_for_unwell_is_not_ready() -> None:
    assert not await cluster(view("slave,fail"), view("slave,fail")).agreed()
