"""The scenes between two implementations: each asks the other, and both in one group."""

from __future__ import annotations

import asyncio
import secrets
import statistics
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from .handover import Handovers, wait_until_quiet
from .testee import Answer, Outcome, Testee

CONTENTS: list[Any] = [
    None, True, False, 0, -1, 2**53 - 1, 1.5, 1e-7, "", "Hello!", "ä 日本 \U0001f600", "line\nbreak", " ", "a/b <&>", [], {},
    [1, [2, [None, {"a": "b"}]]], {"key": {"nested": [1, 2.5, "x", None, True]}, "": 0},
]  # fmt: skip
"""Values that both sides can say; a gem cannot send a string that is JSON text."""


class Failed(Exception):
    """A promise did not hold. The text says which."""


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(what)


def echo(request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Fulfils with the content, or rejects if the content asks for that."""
    content = request["content"]
    refuse = isinstance(content, dict) and "please reject" in content
    return ("reject" if refuse else "fulfill"), {"content": content}


def saying(what: str) -> Answer:
    """Fulfils everything with one text."""
    return lambda _: ("fulfill", {"content": what})


def figures(outcomes: list[Outcome]) -> str:
    """Requests and latencies in words."""
    took = sorted(outcome.took * 1000 for outcome in outcomes)
    p99 = took[max(0, int(len(took) * 0.99) - 1)]
    return f"{len(took)} requests, median {statistics.median(took):.1f} ms, p99 {p99:.1f} ms, max {took[-1]:.1f} ms"


async def many(count: int, at_once: int, ask: Callable[[int], Awaitable[Outcome]]) -> list[Outcome]:
    """So many requests, so many under way at once."""
    gate = asyncio.Semaphore(at_once)

    async def one(number: int) -> Outcome:
        async with gate:
            return await ask(number)

    return await asyncio.gather(*(one(number) for number in range(count)))


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


async def asks(
    asker: Testee,
    responder: Testee,
    url: str,
    requests: int,
    contents: Sequence[Any] = CONTENTS,
    one_way: Sequence[Any] = (),
) -> list[str]:
    """One implementation asks the other: contents, rejections, a timeout, many at once, events.

    ``one_way``: contents that are checked only at the responder, which cannot send them back unchanged.
    """
    stream = f"interop-{secrets.token_hex(4)}"
    join: dict[str, Any] = {"url": url, "stream": stream}
    responder.answers["answer"] = echo
    responder.answers["channel"] = lambda request: ("fulfill", {"content": request["params"]})
    await responder.call("connect", endpoint="answer", group="answer", **join)
    await responder.call(
        "connect", endpoint="channel", group="maths", events=[{"event": "add", "params": ["a", "b"]}], **join
    )
    await asker.call("connect", endpoint="ask", group="ask", **join)
    await asker.call("connect", endpoint="brief", group="brief", options={"timeout": 0.5}, **join)
    await asker.call("connect", endpoint="shop", group="shop", events=[], **join)

    for content in contents:
        outcome = await asker.ask("send", endpoint="ask", to="answer", content=content)
        expect(outcome.status == "fulfilled", f"{content!r}: {outcome}")
        expect(same(outcome.content, content), f"{content!r} came back as {outcome.content!r}")
    for content in one_way:
        before = len(responder.received)
        outcome = await asker.ask("send", endpoint="ask", to="answer", content=content)
        expect(outcome.status == "fulfilled", f"{content!r}: {outcome}")
        arrived = [one["content"] for one in responder.received[before:]]
        expect(len(arrived) == 1 and same(arrived[0], content), f"{content!r} arrived as {arrived!r}")
    refused = {"please reject": [1, {"why": "ä"}]}
    outcome = await asker.ask("send", endpoint="ask", to="answer", content=refused)
    expect((outcome.status, outcome.content) == ("rejected", refused), f"rejection: {outcome}")
    outcome = await asker.ask("send", endpoint="brief", to="nobody", content=1)
    expect(outcome.status == "timeout" and 0.45 < outcome.took < 1.5, f"timeout after 0.5 s: {outcome}")
    outcome = await asker.ask(
        "trigger", endpoint="shop", event="add", target="maths", params={"a": 1, "b": [2], "c": 3}
    )
    expect((outcome.status, outcome.content) == ("fulfilled", {"a": 1, "b": [2]}), f"event: {outcome}")
    outcome = await asker.ask("trigger", endpoint="shop", event="guess", target="maths", params={})
    expect(
        (outcome.status, outcome.content) == ("rejected", "Unsupported event. Given guess"), f"unknown event: {outcome}"
    )

    ask = asking(asker, "ask", "answer")
    one_by_one = await many(requests, 1, ask)
    at_once = await many(requests, 10, ask)
    left = await asyncio.to_thread(wait_until_quiet, url, stream)
    expect(left == 0, f"{left} entries are left on the stream")
    for testee, endpoints in ((asker, ["ask", "brief", "shop"]), (responder, ["answer", "channel"])):
        for endpoint in endpoints:
            await testee.call("disconnect", endpoint=endpoint)
    return [
        f"{len(contents)} contents there and back, {len(one_way)} more there: as they should be",
        "a rejection, a timeout, two events: as they should be; nothing is left on the stream",
        f"one by one: {figures(one_by_one)}",
        f"ten at once: {figures(at_once)}",
    ]


async def mixed(members: Sequence[Testee], responder: Testee, url: str, requests: int) -> list[str]:
    """All in one group: each gets its own responses, whoever read them, and all run what the group is asked."""
    stream = f"interop-{secrets.token_hex(4)}"
    responder.answers["answer"] = echo
    await responder.call("connect", endpoint="answer", url=url, stream=stream, group="answer")
    watch = Handovers(url, stream)
    instances = {}
    for member in members:
        member.answers["member"] = saying(member.name)
        joined = await member.call("connect", endpoint="member", url=url, stream=stream, group="mixed")
        instances[joined["instance"]] = member.name

    own = await asyncio.gather(*(many(requests, 5, asking(member, "member", "answer")) for member in members))
    asked = await many(requests, 5, lambda n: responder.ask("send", endpoint="answer", to="mixed", content=n))
    wrong = [outcome for outcome in asked if outcome.status != "fulfilled"]
    expect(not wrong, f"asked from outside: {len(wrong)} of {requests} failed, {wrong[:1]}")
    left = await asyncio.to_thread(wait_until_quiet, url, stream)
    expect(left == 0, f"{left} entries are left on the stream")
    watch.close()
    handed = {(instances[reader], instances[owner]): count for (reader, owner), count in watch.counted.items()}
    for member in members:
        others = [other.name for other in members if other is not member]
        expect(
            any(handed.get((member.name, other)) for other in others), f"{member.name} handed nothing over: {handed}"
        )
        expect(any(handed.get((other, member.name)) for other in others), f"{member.name} was handed nothing: {handed}")
    for member in members:
        await member.call("disconnect", endpoint="member")
    await responder.call("disconnect", endpoint="answer")
    ran = {member.name: sum(outcome.content == member.name for outcome in asked) for member in members}
    return [
        *(
            f"{member.name} asks: {figures(outcomes)}, each got its own"
            for member, outcomes in zip(members, own, strict=True)
        ),
        *(f"{reader} read and handed over to {owner}: {count}" for (reader, owner), count in sorted(handed.items())),
        f"asked from outside: {figures(asked)}, run by " + ", ".join(f"{name} {count}" for name, count in ran.items()),
    ]


def asking(testee: Testee, endpoint: str, to: str) -> Callable[[int], Awaitable[Outcome]]:
    """A request with a content of its own, whose answer must be that content."""

    async def ask(number: int) -> Outcome:
        content = {"from": testee.name, "number": number}
        outcome = await testee.ask("send", endpoint=endpoint, to=to, content=content)
        expect(
            (outcome.status, outcome.content) == ("fulfilled", content), f"{testee.name} asked {content}, got {outcome}"
        )
        return outcome

    return ask
