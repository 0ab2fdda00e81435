"""The stand-in for the gem writes what the gem wrote when it was recorded, command by command."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from redisipc.testing import Gem, Hub

from ..fixtures.recorded import load, names, raw

IDLE = {"expire", "xautoclaim"}
"""The commands that its loops send without end."""


def of_recording(name: str, member: str) -> tuple[dict[str, Any], list[list[str]]]:
    """The commands of one recorded endpoint which say something, with names in place of what differs each time."""
    content = load(f"exchanges/{name}")
    [about] = [one for one in content["endpoints"] if one["name"] == member]
    lines = sorted(
        content["transcript"],
        key=lambda line: line["at"] + ((line["took"] or 0) if line["command"][0] == "xreadgroup" else 0),
    )
    commands = []
    for line in lines:
        command, reply = line["command"], line["reply"]
        if not line["connection"].startswith(f"{member}/") or command[0] in IDLE:
            continue
        if command[0] == "xreadgroup" and (not reply or not reply[0][1]):
            continue
        if "BLOCK" in command:
            at = command.index("BLOCK")
            command = [*command[:at], *command[at + 2 :]]
        commands.append([raw(part).decode() for part in command])
    return content, plain(settled(commands), content["stream"], about["instance"])


def plain(commands: list[list[str]], stream: str, instance: str) -> list[list[str]]:
    """Redis IDs and request ids are numbered in the order in which they come."""
    known: dict[str, str] = {}
    shown = []
    for command in commands:
        words = []
        for part in command:
            part = part.replace(stream, "STREAM").replace(instance, "INSTANCE")
            head, dash, tail = part.partition("-")
            is_id = (len(part) in (6, 21) and not set(part) - set("0123456789abcdef")) or (
                dash and head.isdigit() and tail.isdigit() and len(head) > 6
            )
            words.append(known.setdefault(part, f"id {len(known)}") if is_id else part)
        shown.append([words[0].lower(), *words[1:]])
    return shown


class Recorder:
    """Notes what one gem sends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commands: dict[str, list[list[str]]] = {}
        run = Gem._run

        def note(gem: Gem, *command: Any) -> Any:
            reply = run(gem, *command)
            words = [part.decode() if isinstance(part, bytes) else str(part) for part in command]
            idle = words[0].lower() in IDLE or (words[0] == "XREADGROUP" and not (reply and reply[0][1]))
            if not idle and words[:2] != ["XGROUP", "CREATE"]:
                self.commands.setdefault(gem.instance, []).append(words)
            return reply

        monkeypatch.setattr(Gem, "_run", note)

    def of(self, gem: Gem, begin: int = 0, stream: str = "shop") -> list[list[str]]:
        return plain(settled(self.commands[gem.instance][begin:]), stream, gem.instance)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    return Recorder(monkeypatch)


@pytest.mark.parametrize("name", ["request-fulfilled", "request-rejected", "handler-raises"])
@pytest.mark.parametrize("member", ["child", "parent"])
def test_an_exchange_is_the_recorded_one(hub: Hub, recorder: Recorder, name: str, member: str) -> None:
    content, recorded = of_recording(name, member)
    [outcome] = content["outcomes"]
    child, parent = hub.gem("child", stream="shop"), hub.gem("parent", stream="shop")
    mine = {"child": child, "parent": parent}[member]
    begin = len(recorder.commands[mine.instance])

    def fail(_content: Any) -> None:
        raise RuntimeError("boom")

    if outcome["outcome"] == "fulfilled":
        child.answers(outcome["content"])
    elif outcome["outcome"] == "rejected":
        child.rejects(outcome["content"])
    else:
        child.answers(fail)
    response = parent.ask(outcome["sent"], "child", timeout=0.4).result(5)
    assert response.status == ("fulfilled" if outcome["outcome"] == "fulfilled" else "rejected")
    assert words(recorder.of(mine, begin)) == words(recorded)


PLAYED_BY_OUTCOMES = [
    "bystander",
    "channel-errors",
    "channel-event",
    "self-request",
    "timeout-nobody",
    "timeout-late-answer",
]
LATE = 0.6
"""Seconds after which the recorded handler answered, too late for a timeout of 0.3 s."""
LEFT_OUT = {
    "two-consumers": "the stand-in has one consumer",
    "two-instances-answer": "chance decides which of two instances reads first",
    "two-instances-ask": "chance decides which of two instances reads first",
}
BY_HAND = ["response-to-nobody", "response-to-a-dead-instance"]
COMPARED = {
    "request-fulfilled", "request-rejected", "handler-raises", "connect-and-disconnect", "connect-again",
    *PLAYED_BY_OUTCOMES, *BY_HAND,
}  # fmt: skip


def test_every_recording_is_compared_or_left_out_with_a_reason() -> None:
    recorded = {name.removeprefix("exchanges/") for name in names("exchanges")}
    assert recorded == COMPARED | set(LEFT_OUT)


@pytest.mark.parametrize("name", PLAYED_BY_OUTCOMES)
def test_what_came_of_requests_came_by_the_recorded_commands(hub: Hub, recorder: Recorder, name: str) -> None:
    content = load(f"exchanges/{name}")
    about = {each["name"]: each for each in content["endpoints"]}
    gems = {member: hub.gem(each["group"], stream="the-gems") for member, each in about.items()}
    begin = {member: len(recorder.commands[gem.instance]) for member, gem in gems.items()}
    for outcome in content["outcomes"]:
        asked = gems.get(outcome["to"])
        if asked is not None and outcome["outcome"] == "fulfilled":
            asked.answers(outcome["content"])
        elif asked is not None and outcome["outcome"] == "rejected":
            asked.rejects(outcome["content"])
        elif name == "timeout-late-answer":
            gems["child"].answers("late", after=LATE)
        timeout = about[outcome["endpoint"]]["entry_timeout"]
        response = gems[outcome["endpoint"]].ask(outcome["sent"], outcome["to"], timeout=timeout).result(5)
        assert response.status == {"timeout": "rejected"}.get(outcome["outcome"], outcome["outcome"])
    for member, gem in gems.items():
        _, recorded = of_recording(name, member)
        eventually(lambda gem=gem, member=member, recorded=recorded: (  # type: ignore[misc]
            words(recorder.of(gem, begin[member], "the-gems")), words(recorded)
        ))  # fmt: skip


def eventually(pair: Callable[[], tuple[object, object]]) -> None:
    """Both are equal, soon."""
    end = time.monotonic() + 5
    while True:
        mine, recorded = pair()
        if mine == recorded or time.monotonic() > end:
            assert mine == recorded
            return
        time.sleep(0.02)


@pytest.mark.parametrize("name", BY_HAND)
def test_a_response_that_nobody_waits_for_ends_as_recorded(hub: Hub, recorder: Recorder, name: str) -> None:
    content, recorded = of_recording(name, "web")
    gem = hub.gem("web", stream="shop")
    begin = len(recorder.commands[gem.instance])
    [fields] = [
        line["reply"][0][1][0][1]
        for line in content["transcript"]
        if line["command"][0] == "xreadgroup" and line["command"][-1] == ">" and line["reply"] and line["reply"][0][1]
    ]
    [about] = content["endpoints"]
    by_hand = [gem.instance if part == about["instance"] else part for part in map(str, fields)]
    hub.peer("somebody", stream="shop")._run("XADD", b"shop", "*", *by_hand)
    with hub.server.lock:
        hub.server.flush()
    assert words(recorder.of(gem, begin)) == words(recorded)


def test_it_connects_to_a_group_that_is_there_as_recorded(hub: Hub, recorder: Recorder) -> None:
    _, recorded = of_recording("connect-again", "web")
    hub.gem("web", stream="shop")
    gem = hub.gem("web", stream="shop")
    mine = words(recorder.of(gem))
    assert [["xgroup", "create", "STREAM", "web", "$", "MKSTREAM"], *mine] == words(recorded)[: len(mine) + 1]


def settled(commands: list[list[str]]) -> list[list[str]]:
    """Without entries that its dispatcher reads and that are for others: when it comes to them is chance."""
    claimed = {command[5] for command in commands if command[0].lower() == "xclaim"}
    kept: list[list[str]] = []
    for command in commands:
        read = None
        if command[0].lower() == "xack" and command[-1] not in claimed:
            # Other commands may have come between.
            alone = [
                at for at, each in enumerate(kept) if each[0].lower() == "xreadgroup" and not assigns(kept[at + 1 :])
            ]
            read = next((at for at in reversed(alone) if "dispatcher" in kept[at][3]), None)
        if read is None:
            kept.append(command)
        else:
            kept.pop(read)
    for at in range(len(kept) - 1):
        # The next request may leave before its consumer has deleted the last response.
        if kept[at][0].lower() == "xadd" and kept[at + 1][0].lower() == "xdel" and "pending" in kept[at]:
            kept[at], kept[at + 1] = kept[at + 1], kept[at]
    return kept


def assigns(following: list[list[str]]) -> bool:
    """Whether the dispatcher looks next for somebody who gets the entry."""
    return bool(following) and following[0][0].lower() == "lrange"


def test_it_connects_as_recorded(hub: Hub, recorder: Recorder) -> None:
    _, recorded = of_recording("connect-and-disconnect", "web")
    # Recorded with two consumers, and ours has one.
    recorded = [command for command in recorded if "consumer_INSTANCE_1" not in command]
    gem = hub.gem("web", stream="shop")
    gem.leave()
    assert [["xgroup", "create", "STREAM", "web", "$", "MKSTREAM"], *words(recorder.of(gem))] == words(recorded)


def words(commands: list[list[str]]) -> list[list[str]]:
    """Names of subcommands as they are recorded."""
    return [
        [part.lower() if at == 1 and command[0] in ("xgroup", "xinfo") else part for at, part in enumerate(command)]
        for command in commands
    ]
