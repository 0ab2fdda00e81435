"""The test vectors of the spec, run against the codec and the channel: what every port must write and read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from redisipc import Channel, Reject, event
from redisipc.channel.dispatch import content_of, dispatch
from redisipc.errors import ContentError
from redisipc.protocol.content import decode, encode

from ..support_shared import SHARED

VECTORS = SHARED / "conformance" / "vectors"
CONTENT = json.loads((VECTORS / "content.json").read_text(encoding="utf-8"))
CHANNEL = json.loads((VECTORS / "channel.json").read_text(encoding="utf-8"))
_CASES = [*CONTENT["cases"], *CONTENT["large"]]


def cases(use: str) -> Any:
    found = [case for case in [*_CASES, *CHANNEL["cases"]] if use in case["use"]]
    assert found
    return pytest.mark.parametrize("case", found, ids=[case["name"] for case in found])


def made(written: Any) -> Any:
    """A value of the vectors' files, ``$`` forms made."""
    if isinstance(written, list):
        return [made(each) for each in written]
    if not isinstance(written, dict) or not any(key.startswith("$") for key in written):
        return written
    if "$parse" in written:
        return json.loads(written["$parse"])
    if "$repeat" in written:
        return written["$repeat"] * written["times"]
    if "$text" in written:
        return json.dumps(made(written["$text"]), separators=(",", ":"))
    value: Any = [] if written["in"] == "list" else {}
    for _ in range(written["$nest"] - 1):
        value = [value] if written["in"] == "list" else {"a": value}
    return value


def raw(written: Any) -> bytes:
    if isinstance(written, dict) and "$hex" in written:
        return bytes.fromhex(written["$hex"])
    text = made(written)
    assert isinstance(text, str)
    return text.encode()


def same(a: Any, b: Any) -> bool:
    """Equal as JSON: 1 is 1.0 and not true."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return isinstance(a, bool) is isinstance(b, bool) and a == b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)


@cases("write")
def test_it_is_written_as_it_stands(case: Any) -> None:
    assert encode(made(case["value"])) == raw(case["text"])


@cases("write-json")
def test_it_is_written_as_json(case: Any) -> None:
    assert same(json.loads(encode(made(case["value"]))), made(case["value"]))


@cases("read")
def test_it_is_read_as_its_value(case: Any) -> None:
    assert same(decode(raw(case["text"])), made(case["value"]))


@cases("read-any")
def test_it_is_read_as_one_of_several_values(case: Any) -> None:
    value = decode(raw(case["text"]))
    assert any(same(value, made(each)) for each in case["acceptable"])


@cases("read-string")
def test_it_is_read_as_a_string(case: Any) -> None:
    assert isinstance(decode(raw(case["text"])), str)


@pytest.mark.parametrize("use", ["refuse", "refuse-local"])
def test_what_json_cannot_say_is_refused(use: str) -> None:
    found = [case for case in _CASES if use in case["use"]]
    assert found
    for case in found:
        with pytest.raises(ContentError):
            encode(made(case["value"]))


class Vectors(Channel):
    @event("add", params=["a", "b"])
    def add(self) -> None: ...

    @event("nothing", params=[])
    def nothing(self) -> None: ...


def test_the_channel_is_the_one_of_the_file() -> None:
    assert {name: list(each.params) for name, each in Vectors.events.items()} == CHANNEL["events"]


@cases("trigger")
def test_an_event_is_triggered(case: Any) -> None:
    assert same(content_of(case["event"], case.get("params"), None), case["content"])


@cases("run")
def test_the_event_runs_with_its_parameters(case: Any) -> None:
    call = dispatch(Vectors.events, decode(raw(case["text"])))
    assert call.event.name == case["event"]
    assert same(call.params, case["params"])


@cases("reject")
def test_the_request_is_rejected_with_this_text(case: Any) -> None:
    with pytest.raises(Reject) as caught:
        dispatch(Vectors.events, decode(raw(case["text"])))
    assert caught.value.content == case["reason"]


@cases("reject-prefix")
def test_the_request_is_rejected_with_a_text_that_begins_so(case: Any) -> None:
    with pytest.raises(Reject) as caught:
        dispatch(Vectors.events, decode(raw(case["text"])))
    assert caught.value.content.startswith(case["reason"])


@cases("reject-any")
def test_the_request_is_rejected(case: Any) -> None:
    with pytest.raises(Reject):
        dispatch(Vectors.events, decode(raw(case["text"])))
