"""The part of ``check-testee`` that needs a Redis: a conversation between two endpoints of one process."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from redisipc_conformance.wire.address import Address
from redisipc_conformance.wire.client import Client

from .candidate import Candidate, Replying
from .errors import TesteeRefused
from .over_redis import SECONDS, TIMEOUT, result

_MOST_STRETCHED = 10.0
"""The timeout becomes at most so many times longer."""
_CONTENT: Any = {"text": "two\nlines, ü and \u2028", "list": [1, 2.5, None, True, {}]}


async def refuses_nonsense(testee: Candidate, place: dict[str, Any]) -> None:
    """An unknown option must not be ignored: a scenario that sets one would test something else."""
    answer = await testee.call(
        "connect", {**place, "options": {"frobnicate": 1}}, SECONDS * testee.scale, checked=False
    )
    await _remove(place["url"], place["stream"], [])
    hint = "refuse what the port has nothing for"
    assert isinstance(answer, TesteeRefused), f"connect took the option frobnicate, which does not exist; {hint}"


async def converse(testee: Candidate, url: str, hello: dict[str, Any]) -> None:
    """Raises AssertionError, or what ``Candidate.call`` raises, at the first mistake."""
    stream = f"redisipc-check-{secrets.token_hex(4)}"
    # Longer for a slow testee, but never so long that the whole check takes too long.
    timeout = TIMEOUT * min(max(testee.scale, 1.0), _MOST_STRETCHED)
    places: list[dict[str, Any]] = [
        {"endpoint": name, "url": url, "stream": stream, "group": name, "options": {"timeout": timeout}}
        for name in ("a", "b")
    ]
    answers = await asyncio.gather(*(testee.call("connect", place, SECONDS * testee.scale) for place in places))
    keys = [f"{stream}:{p['group']}:{result(a, 'connect')['instance']}" for p, a in zip(places, answers, strict=True)]
    try:
        began = time.monotonic()
        nobody = await _begin(testee, "nobody", None)
        await _fulfilled(testee, url, stream)
        # If the request to b took as long as the timeout, the other one proves nothing.
        early = nobody.done() and time.monotonic() - began < timeout
        assert not early, f"a send to a group that nobody has ended before its timeout of {timeout:g} s"
        no = {"no": 1}
        await _ended(testee, "reject", {"content": no}, [_outcome("rejected", no)])
        # A library that does not answer when a handler failed breaks the specification, but its shim is right.
        # The user decides what the reason says about the failure.
        await _ended(testee, "raise", {"message": "broken"}, [_outcome("rejected", _ANY), _outcome("timeout")])
        await _ended(testee, "ignore", {}, [_outcome("timeout")])
        if "cancel" in hello["features"]:
            await _given_up(testee)
        for endpoint in ("a", "b"):
            result(await testee.call("disconnect", {"endpoint": endpoint}, SECONDS * testee.scale), "disconnect")
        refused = await testee.call("send", {"endpoint": "a", "to": "b", "content": 1}, SECONDS * testee.scale)
        assert isinstance(refused, TesteeRefused), "send of an endpoint that was disconnected must be refused"
    finally:
        await _remove(url, stream, keys)


async def _fulfilled(testee: Candidate, url: str, stream: str) -> None:
    sent = await _begin(testee, "b", _CONTENT)
    request = await testee.notified(
        "received", lambda params: bool(params["content"] == _CONTENT), SECONDS * testee.scale
    )
    assert request["endpoint"] == "b", f"the request for b was reported for {request['endpoint']!r}"
    client = Client(Address.parse(url))
    entries = await client("XRANGE", stream, "-", "+")
    await client.close()
    ids = [fields[1] for _, fields in entries]
    on_stream = request["id"].encode() in ids
    assert on_stream, f"it reports the request {request['id']}, which is not in the stream that it has to use"
    await _answer(testee, "fulfill", request["request"], {"content": _CONTENT})
    outcome = result(await testee.answer(sent, "send", SECONDS * testee.scale), "send")
    expected = _outcome("fulfilled", _CONTENT)
    assert outcome == expected, f"send was answered with {outcome!r} after fulfill; expected {expected!r}"


async def _ended(testee: Candidate, method: str, how: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    sent = await _begin(testee, "b", method)
    request = await testee.notified(
        "received", lambda params: bool(params["content"] == method), SECONDS * testee.scale
    )
    await _answer(testee, method, request["request"], how)
    outcome = result(await testee.answer(sent, "send", SECONDS * testee.scale), "send")
    wanted = " or ".join(repr(each) for each in expected)
    assert outcome in expected, f"send was answered with {outcome!r} after {method}; expected {wanted}"


class _Any:
    """Equal to every reason."""

    def __eq__(self, other: object) -> bool:
        return other is not None and other != ""

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "'any reason'"


_ANY = _Any()


def _outcome(outcome: str, content: Any = None) -> dict[str, Any]:
    return {"outcome": outcome, "content": content}


async def _given_up(testee: Candidate) -> None:
    params = {"endpoint": "a", "to": "nobody", "content": 1, "call": "s1"}
    sent = await testee.begin("send", params)
    await asyncio.sleep(0.05)  # nothing tells that a call has begun
    result(await testee.call("cancel", {"endpoint": "a", "call": "s1"}, SECONDS * testee.scale), "cancel")
    outcome = result(await testee.answer(sent, "send", SECONDS * testee.scale), "send")
    assert outcome["outcome"] == "cancelled", f"send was answered with {outcome!r} after cancel; expected cancelled"


async def _begin(testee: Candidate, to: str, content: Any) -> Replying:
    return await testee.begin("send", {"endpoint": "a", "to": to, "content": content})


async def _answer(testee: Candidate, method: str, request: str, how: dict[str, Any]) -> None:
    result(await testee.call(method, {"endpoint": "b", "request": request, **how}, SECONDS * testee.scale), method)


async def _remove(url: str, stream: str, prefixes: list[str]) -> None:
    client = Client(Address.parse(url))
    for key in [stream, *(f"{prefix}:{kind}" for prefix in prefixes for kind in ("consumers", "announce"))]:
        await client("DEL", key)
    await client.close()
