"""The floor of this protocol: bare redis-py sends the commands of SPEC.md, appendix B.

It leaves out the work of a library: codec, routing, ledger, timeouts, registration, keep-alive, recovery.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from ..asking import Ask, one_by_one

TEXT = True
"""It gets the payload as text, since a floor has no codec."""


def _join(client: redis.Redis, name: str, group: str) -> None:
    try:
        client.xgroup_create(name, group, "$", mkstream=True)
    except redis.ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def _entry(id: Any, instance: Any, status: str, content: Any, source: str, destination: str) -> dict[Any, Any]:
    return {
        "id": id,
        "instance_id": instance,
        "status": status,
        "content": content,
        "source_group": source,
        "destination_group": destination,
    }


def serve(url: str, name: str, ready: Any, **_options: Any) -> None:
    """Answers requests together that it read together, as SPEC.md allows. Several responders can share the group."""
    dispatcher = f"dispatcher_{os.getpid() % 0xFFFFFF:06x}_0"
    with redis.Redis.from_url(url) as client:
        _join(client, name, "b")
        ready()
        while True:
            for _, rows in client.xreadgroup("b", dispatcher, {name: ">"}, count=128, block=1000) or ():
                asked = {id: fields for id, fields in rows if fields.get(b"destination_group") == b"b"}
                others = [id for id, _ in rows if id not in asked]
                with client.pipeline(transaction=bool(asked)) as pipe:
                    for fields in asked.values():
                        answer = _entry(
                            fields[b"id"], fields[b"instance_id"], "fulfilled", fields[b"content"], "b", "a"
                        )
                        pipe.xadd(name, answer, nomkstream=True)
                    if asked:
                        pipe.xack(name, "b", *asked)
                        pipe.xdel(name, *asked)
                    if others:
                        pipe.xack(name, "b", *others)
                    pipe.execute()


@contextmanager
def ask(url: str, name: str, **_options: Any) -> Iterator[Ask]:
    with redis.Redis.from_url(url) as client:
        _join(client, name, "a")
        number = 0

        def once(payload: str) -> None:
            nonlocal number
            number += 1
            client.xadd(name, _entry(f"{number:021x}", "aaaaaa", "pending", payload, "a", "b"), nomkstream=True)
            answered = False
            while not answered:
                for _, rows in client.xreadgroup("a", "dispatcher_aaaaaa_0", {name: ">"}, count=128, block=4000):
                    mine = [id for id, fields in rows if fields.get(b"destination_group") == b"a"]
                    answered = bool(mine)
                    with client.pipeline(transaction=False) as pipe:
                        pipe.xack(name, "a", *(id for id, _ in rows))
                        if mine:
                            pipe.xdel(name, *mine)
                        pipe.execute()

        yield one_by_one(once)
