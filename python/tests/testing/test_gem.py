"""The stand-in for the gem writes what the gem wrote when it was recorded, command by command."""

from __future__ import annotations

from typing import Any

import pytest

from redisipc.testing import Gem, Hub

from ..fixtures.recorded import load, raw

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

    def of(self, gem: Gem, begin: int = 0) -> list[list[str]]:
        return plain(settled(self.commands[gem.instance][begin:]), "shop", gem.instance)


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


def settled(commands: list[list[str]]) -> list[list[str]]:
    """Without entries that its dispatcher reads and that are for others: when it comes to them is chance."""
    claimed = {command[5] for command in commands if command[0].lower() == "xclaim"}
    kept: list[list[str]] = []
    for command in commands:
        if command[0].lower() == "xack" and command[-1] not in claimed and kept[-1][0].lower() == "xreadgroup":
            kept.pop()
        else:
            kept.append(command)
    return kept


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
