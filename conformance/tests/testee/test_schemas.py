"""Each message of the testee protocol: the examples, and what is said of one that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from redisipc_conformance.testee.jsonrpc import Conversation
from redisipc_conformance.testee.schemas import Answer, MessageBroken, Notification, Refusal, TesteeSchemas

FOLDER = Path(__file__).parents[3] / "schemas" / "1.0"
EXAMPLES = sorted((FOLDER / "examples" / "testee").rglob("*.json"))


@pytest.fixture(scope="module")
def schemas() -> TesteeSchemas:
    return TesteeSchemas.load()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(FOLDER / "examples" / "testee").as_posix())
def test_an_example_is_what_its_name_says(path: Path) -> None:
    schema = json.loads((FOLDER / path.parent.relative_to(FOLDER / "examples")).with_suffix(".json").read_text())
    errors = list(Draft202012Validator(schema).iter_errors(json.loads(path.read_text())))
    assert bool(errors) == path.name.startswith("invalid-"), errors


def test_the_methods_and_notifications_are_the_protocols(schemas: TesteeSchemas) -> None:
    assert schemas.methods == {
        "hello", "connect", "send", "trigger", "cancel", "fork", "block", "postpone", "fulfill", "reject", "raise", "ignore",
        "disconnect", "shutdown",
    }  # fmt: skip
    assert schemas.notifications == {"received", "cancelled", "error"}


def test_a_line_is_an_answer_a_refusal_or_a_notification(schemas: TesteeSchemas) -> None:
    assert schemas.line(b'{"jsonrpc":"2.0","id":3,"result":{}}\n') == Answer(3, {})
    refusal = b'{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"no"}}'
    assert schemas.line(refusal) == Refusal(3, -32601, "no")
    gone = b'{"jsonrpc":"2.0","method":"cancelled","params":{"endpoint":"a","request":"r1"}}'
    assert schemas.line(gone) == Notification("cancelled", {"endpoint": "a", "request": "r1"})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"Hello, I am starting up", ["is not JSON", "one JSON-RPC message a line"]),
        (b'{"jsonrpc":"2.0","id":1,"result":{"n":NaN}}', ["NaN is not a JSON value"]),
        (b'"\xff"', ["not UTF-8"]),
        (b"[]", ["a JSON-RPC object"]),
        (b'{"id":1,"result":{}}', ["answer 1", "there is no jsonrpc"]),
        (b'{"jsonrpc":"2.0","id":"1","result":{}}', ["$.id", "'1'", "integer"]),
        (b'{"jsonrpc":"2.0","id":1,"result":null}', ["$.result", "None", "object"]),
        (b'{"jsonrpc":"2.0","method":"recieved","params":{}}', ["'recieved'", "one of cancelled, error, received"]),
        (b'{"jsonrpc":"2.0","method":"cancelled","params":{"endpoint":"a"}}', ["cancelled", "there is no request"]),
        (b'{"jsonrpc":"2.0","id":1,"error":{"code":"x","message":""}}', ["$.error.code", "'x'", "integer"]),
    ],
)
def test_a_broken_line_is_told_with_message_path_and_expectation(
    schemas: TesteeSchemas, line: bytes, words: list[str]
) -> None:
    with pytest.raises(MessageBroken) as raised:
        schemas.line(line)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize("written", [b"1e999", b"Infinity"])
def test_infinity_may_be_written_in_two_ways(schemas: TesteeSchemas, written: bytes) -> None:
    line = b'{"jsonrpc":"2.0","id":1,"result":{"outcome":"fulfilled","content":' + written + b"}}"
    assert schemas.line(line) == Answer(1, {"outcome": "fulfilled", "content": float("inf")})


def test_a_broken_answer_is_told_with_its_method(schemas: TesteeSchemas) -> None:
    with pytest.raises(
        MessageBroken, match=r"answer to connect: at \$ there is no instance; expected the keys instance"
    ):
        schemas.check_answer("connect", {})
    with pytest.raises(MessageBroken, match=r"answer to send: at \$.outcome is 'ok'; expected one of 'fulfilled', "):
        schemas.check_answer("send", {"outcome": "ok", "content": None})
    with pytest.raises(MessageBroken, match=r"answer to send: at \$.content is 'late'; expected a value of type null"):
        schemas.check_answer("send", {"outcome": "timeout", "content": "late"})
    with pytest.raises(MessageBroken, match=r"unknown key 'more'; expected an empty object"):
        schemas.check_answer("fulfill", {"more": 1})


def test_the_suites_own_messages_are_checked_too(schemas: TesteeSchemas) -> None:
    with pytest.raises(MessageBroken, match="call of frobnicate"):
        schemas.check_call("frobnicate", {})
    with pytest.raises(MessageBroken, match=r"call of send: at \$ there is no content"):
        schemas.check_call("send", {"endpoint": "a", "to": "b"})
    params = {"endpoint": "a", "url": "", "stream": "s", "group": "g", "options": {"tmeout": 1}}
    with pytest.raises(MessageBroken, match="unknown key 'tmeout'"):
        schemas.check_call("connect", params)


async def test_a_call_is_one_line_of_utf_8(schemas: TesteeSchemas) -> None:
    content = "two\nlines, ä, \u2028, \ud800"
    said = Conversation(schemas, lambda *_: None)
    line, _ = said.begin("send", {"endpoint": "a", "to": "b", "content": content})
    assert line.count(b"\n") == 1
    assert json.loads(line)["params"]["content"] == content
    assert "ä".encode() in line
    with pytest.raises(ValueError, match="not JSON compliant"):
        said.begin("send", {"endpoint": "a", "to": "b", "content": float("nan")})


def test_a_long_value_is_cut_in_the_message(schemas: TesteeSchemas) -> None:
    with pytest.raises(MessageBroken) as raised:
        schemas.line(b'{"jsonrpc":"2.0","id":"' + b"x" * 100_000 + b'","result":{}}')
    assert len(str(raised.value)) < 1000
