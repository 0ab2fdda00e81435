"""The part of ``check-testee`` for a testee that plays one side at a time: the runner plays the other side by hand."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from redisipc_conformance.wire import resp
from redisipc_conformance.wire.address import Address
from redisipc_conformance.wire.client import Client

from .candidate import Candidate
from .over_redis import SECONDS, TIMEOUT, result

LOOK_SECONDS = 0.02
"""Seconds between two checks of the stream."""

Fields = dict[str, str]


async def asks(testee: Candidate, url: str, *, caller: bool) -> None:
    """A requester or a caller gets an answer, and learns of a timeout. Raises AssertionError at the first error."""
    who = "caller" if caller else "requester"
    async with _Place(url, SECONDS * testee.scale) as place:
        await place.client("XGROUP", "CREATE", place.stream, "b", "$", "MKSTREAM")
        params: dict[str, Any] = {"endpoint": who, "url": url, "stream": place.stream, "options": {"timeout": TIMEOUT}}
        if not caller:
            params["group"] = "a"
        await _connect(testee, place, params)
        sent = await testee.begin("send", {"endpoint": who, "to": "b", "content": {"n": 1}})
        entry, request = await place.entry(f"the request that the {who} had to send", destination_group="b")
        answer = {**request, "status": "fulfilled", "content": "7"}
        answer |= {"source_group": "b", "destination_group": request.get("source_group", "")}
        await place.client("XADD", place.stream, "*", *(part for pair in answer.items() for part in pair))
        await place.client("XDEL", place.stream, entry)
        outcome = result(await testee.answer(sent, "send", SECONDS * testee.scale), "send")
        expected = {"outcome": "fulfilled", "content": 7}
        assert outcome == expected, f"send was answered with {outcome!r} after its response; expected {expected!r}"
        silent = await testee.call("send", {"endpoint": who, "to": "b", "content": 2}, SECONDS * testee.scale)
        told = result(silent, "send")
        assert told["outcome"] == "timeout", f"send was answered with {told!r} without a response; expected a timeout"
        result(await testee.call("disconnect", {"endpoint": who}, SECONDS * testee.scale), "disconnect")


async def answers(testee: Candidate, url: str) -> None:
    """A responder runs a request and answers it. Raises AssertionError at the first thing that is wrong."""
    async with _Place(url, SECONDS * testee.scale) as place:
        await _connect(testee, place, {"endpoint": "responder", "url": url, "stream": place.stream, "group": "b"})
        fields: Fields = {
            "id": secrets.token_hex(11)[:21],
            "instance_id": "c0ffee",
            "status": "pending",
            "content": "1",
        }
        fields |= {"source_group": "a", "destination_group": "b"}
        await place.client("XADD", place.stream, "*", *(part for pair in fields.items() for part in pair))
        heard = await testee.notified(
            "received", lambda params: params["endpoint"] == "responder", SECONDS * testee.scale
        )
        assert heard["id"] == fields["id"], f"it reports the request {heard['id']}, expected {fields['id']}"
        decided = {"endpoint": "responder", "request": heard["request"], "content": {"n": 1}}
        result(await testee.call("fulfill", decided, SECONDS * testee.scale), "fulfill")
        await place.entry("the response to the request that was fulfilled", status="fulfilled", id=fields["id"])
        result(await testee.call("disconnect", {"endpoint": "responder"}, SECONDS * testee.scale), "disconnect")


class _Place:
    """A stream of its own. Afterwards it is deleted, with the other keys of the testee's endpoint."""

    def __init__(self, url: str, seconds: float) -> None:
        self.seconds = seconds
        self.stream = f"redisipc-check-{secrets.token_hex(4)}"
        self.client = Client(Address.parse(url))
        self.keys: list[resp.Arg] = [self.stream]

    async def __aenter__(self) -> _Place:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.client("DEL", *self.keys)
        await self.client.close()

    async def entry(self, what: str, **where: str) -> tuple[bytes, Fields]:
        """The first entry with these fields, and its ID."""
        seen: list[Fields] = []
        for _ in range(round(self.seconds / LOOK_SECONDS)):
            rows: Any = await self.client("XRANGE", self.stream, "-", "+")
            seen = [_fields(flat) for _, flat in rows]
            for (entry, _), fields in zip(rows, seen, strict=True):
                if all(fields.get(name) == value for name, value in where.items()):
                    return entry, fields
            await asyncio.sleep(LOOK_SECONDS)
        raise AssertionError(
            f"{what} did not come to the stream within {self.seconds:g} s; there is {seen or 'nothing'}"
        )


def _fields(flat: list[bytes]) -> Fields:
    text = [part.decode("utf-8", "replace") for part in flat]
    return dict(zip(text[0::2], text[1::2], strict=True))


async def _connect(testee: Candidate, place: _Place, params: dict[str, Any]) -> None:
    instance = result(await testee.call("connect", params, SECONDS * testee.scale), "connect")["instance"]
    prefix = f"{place.stream}:{params.get('group', '')}:{instance}"
    place.keys += [f"{prefix}:consumers", f"{prefix}:announce"]
