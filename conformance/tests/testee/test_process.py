"""One process of a testee: calls and answers, how it can go wrong, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from redisipc_conformance.testee import process as process_module
from redisipc_conformance.testee.jsonrpc import Conversation
from redisipc_conformance.testee.process import TesteeBroke, TesteeGone, TesteeProcess, TesteeRefused, TesteeUnusable
from redisipc_conformance.testee.schemas import TesteeSchemas

SHIM = (sys.executable, str(Path(__file__).with_name("echo_shim.py")))
SCHEMAS = TesteeSchemas.load()
Heard = list[tuple[str, dict[str, Any]]]
Start = Callable[..., Awaitable[TesteeProcess]]


@pytest.fixture
def heard() -> Heard:
    return []


@pytest.fixture
async def start(heard: Heard) -> AsyncIterator[Start]:
    started: list[TesteeProcess] = []

    async def run(*command: str) -> TesteeProcess:
        process = await TesteeProcess.start(
            command or SHIM, on_notification=lambda *told: heard.append(told), schemas=SCHEMAS, seconds=10
        )
        started.append(process)
        return process

    yield run
    for process in started:
        await process.close()


def connect(group: str) -> dict[str, str]:
    return {"endpoint": "a", "url": "redis://127.0.0.1:1/0", "stream": "s", "group": group}


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until_ended(pid: int) -> bool:
    for _ in range(500):
        if not runs(pid):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_it_says_hello_and_answers(start: Start) -> None:
    process = await start()
    assert process.hello["name"] == "echo"
    assert await process.call("connect", connect("g"), 5) == {"instance": "a"}
    assert process.outstanding == []


@pytest.mark.parametrize(
    "content", ["é\u2028\x00", [1e300, None, {"a": "\ud800"}], "x" * 3_000_000, {"deep": [[[[]]]]}]
)
async def test_any_content_goes_there_and_back(start: Start, content: Any) -> None:
    process = await start()
    answer = await process.call("send", {"endpoint": "a", "to": "b", "content": content}, 20)
    assert answer["content"] == content


async def test_answers_may_come_in_another_order(start: Start) -> None:
    process = await start()
    first = await process.begin("connect", connect("later"))
    await process.call("send", {"endpoint": "a", "to": "b", "content": 1}, 5)
    assert await process.wait(first, "connect", 5) == {"instance": "late"}


async def test_a_late_answer_to_a_call_that_was_given_up_breaks_nothing(start: Start) -> None:
    process = await start()
    with pytest.raises(TimeoutError, match=r"connect was not answered within 0\.05 s"):
        await process.call("connect", connect("later"), 0.05)
    await process.call("send", {"endpoint": "a", "to": "b", "content": 1}, 5)
    assert await process.call("connect", connect("g"), 5) == {"instance": "a"}
    assert process.broken is None


async def test_a_refusal_has_its_code_and_data(start: Start) -> None:
    with pytest.raises(TesteeRefused, match=r"no \(code -32000\)") as caught:
        await (await start()).call("connect", connect("refuses"), 5)
    assert (caught.value.code, caught.value.data) == (-32000, {"why": 1})


async def test_notifications_are_heard(start: Start, heard: Heard) -> None:
    await (await start()).call("raise", {"endpoint": "a", "request": "r1", "message": "x"}, 5)
    assert heard == [("cancelled", {"endpoint": "a", "request": "r1"})]


@pytest.mark.parametrize(("group", "told"), [("broken", r"\$\.instance"), ("strange-notification", "surprise")])
async def test_a_message_that_breaks_the_schema_ends_the_conversation(start: Start, group: str, told: str) -> None:
    process = await start()
    gone = asyncio.Event()
    process.on_gone = gone.set
    with pytest.raises(TesteeBroke, match=told):
        await process.call("connect", connect(group), 5)
    await asyncio.wait_for(gone.wait(), 5)
    with pytest.raises(TesteeBroke):
        await process.call("connect", connect("g"), 5)


async def test_a_death_names_the_call_that_was_outstanding(start: Start) -> None:
    process = await start()
    gone = asyncio.Event()
    process.on_gone = gone.set
    with pytest.raises(TesteeGone, match=r"\(exit status 7\) while connect\(a\) was outstanding"):
        await process.call("connect", connect("dies"), 5)
    assert gone.is_set()
    with pytest.raises(TesteeGone):
        await process.call("connect", connect("g"), 5)


async def test_a_death_names_equal_calls_once(start: Start) -> None:
    process = await start()
    waiting = [await process.begin("connect", connect("later")) for _ in range(1200)]
    with pytest.raises(TesteeGone, match=r" while connect\(a\) 1,201 times was outstanding$"):
        await process.call("connect", connect("dies"), 5)
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_killing_it_takes_its_children_too(start: Start) -> None:
    process = await start()
    await process.call("connect", connect("child"), 5)
    while not process.stderr.endswith("\n"):
        await asyncio.sleep(0.01)
    child = int(process.stderr)
    process.kill()
    await process.ended()
    assert process.gone is not None
    assert process.gone.how == "signal 9"
    assert await until_ended(child)
    assert await until_ended(process.pid)


async def test_a_paused_process_does_nothing_until_it_is_resumed(start: Start) -> None:
    process = await start()
    process.pause()
    if sys.platform == "linux":
        states = [
            stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{process.pid}/task").glob("*/stat")
        ]
        assert set(states) == {"T"}
    with pytest.raises(TimeoutError):
        await process.call("connect", connect("g"), 0.1)
    process.resume()
    assert await process.call("connect", connect("g"), 5) == {"instance": "a"}


@pytest.mark.parametrize("state", ["well", "paused", "deaf"])
async def test_close_leaves_nothing(start: Start, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    monkeypatch.setattr(process_module, "SHUTDOWN_SECONDS", 0.3)
    process = await start(*SHIM, *(["--deaf"] if state == "deaf" else []))
    if state == "paused":
        process.pause()
    began = time.monotonic()
    await process.close()
    assert not runs(process.pid)
    assert time.monotonic() - began < 5
    await process.close()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("no-such-program",), "cannot be started: No such file"),
        ((sys.executable, "-c", "import sys; sys.exit('oh no')"), r"(?s)exit status 1.*stderr ends with:\n  oh no"),
        ((sys.executable, "-c", "print('hello world', flush=True); input()"), "is not JSON"),
        ((sys.executable, "-c", "import time; time.sleep(600)"), "no answer within"),
    ],
)
async def test_what_gives_no_hello_is_unusable(command: tuple[str, ...], told: str) -> None:
    before = set(os.listdir("/proc"))
    with pytest.raises(TesteeUnusable, match=told):
        await TesteeProcess.start(command, on_notification=lambda *told: None, schemas=SCHEMAS, seconds=1.0)
    mine = [pid for pid in set(os.listdir("/proc")) - before if pid.isdigit() and _parent(pid) == os.getpid()]
    assert [pid for pid in mine if runs(int(pid))] == []


def _parent(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.mark.parametrize("kept", ["</dev/null 2>/dev/null", "</dev/null >/dev/null", "</dev/null", "2>/dev/null", ""])
async def test_a_daemon_that_keeps_the_pipes_holds_nobody_up(start: Start, kept: str) -> None:
    """A build daemon that the testee's command starts lives on, with the pipes that it has inherited."""
    process = await start("sh", "-c", f"(exec setsid sleep 20 {kept}) & exec {sys.executable} {SHIM[1]}")
    gone = asyncio.Event()
    process.on_gone = gone.set
    with pytest.raises(TesteeGone, match="exit status 7"):
        await process.call("connect", connect("dies"), 5)
    assert gone.is_set()
    began = time.monotonic()
    await process.close()
    assert time.monotonic() - began < 4


async def test_a_second_answer_breaks_the_protocol_however_soon_it_comes() -> None:
    conversation = Conversation(SCHEMAS, lambda *_: None)
    _, answer = conversation.begin("fulfill", {"endpoint": "a", "request": "r1", "content": 1})
    conversation.line(b'{"jsonrpc": "2.0", "id": 1, "result": {}}')
    conversation.line(b'{"jsonrpc": "2.0", "id": 1, "result": {}}')
    assert await answer == {}
    assert "is 1; expected the id of a call that is not answered yet" in str(conversation.broken)
