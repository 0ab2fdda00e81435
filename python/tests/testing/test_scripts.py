"""EVAL on a hub: scripts in a part of Lua, which is enough for every script of the conformance suite."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import redis
from ruamel.yaml import YAML

from redisipc.testing import Hub
from redisipc.testing.lua import parsed
from redisipc.testing.scripts import LIBRARY

SCENARIOS = Path(__file__).parents[3] / "conformance" / "scenarios"


@pytest.fixture
def raw(hub: Hub) -> Any:
    with redis.Redis.from_url(hub.listen(), protocol=2) as client:
        yield client


@pytest.mark.parametrize(
    ("script", "reply"),
    [
        ("return 600", 600),
        ("return {1, 'two', {3}}", [1, b"two", [3]]),
        ("return false", None),
        ("return true", 1),
        ("return 7 / 2", 3),
        ("return 'a' .. 1 .. 'b'", b"a1b"),
        ("return string.upper(ARGV[1]) .. string.format('%03x', 255)", b"X0ff"),
        ("return 1 + 2 * 3 == 7 and not nil", 1),
        (
            "local a, b = 1 if a == 1 and b == nil then return 'yes' elseif a then return 'no' else return 'never' end",
            b"yes",
        ),
        ("local sum = 0 for i = 1, 10, 3 do sum = sum + i end return sum", 22),
        ("local t = {} for _, v in ipairs({'a', 'b'}) do t[#t + 1] = v .. v end return t", [b"aa", b"bb"]),
        ("local n = 3 while n > 0 do n = n - 1 end return n", 0),
        ("local n = 0 while true do n = n + 1 if n == 3 then break end end return n", 3),
        ("local n = 0 for i = 1, 9 do for j = 1, 9 do n = n + 1 if j == 2 then break end end end return n", 18),
        ("for _, v in ipairs({4, 5, 6}) do n = v if v == 5 then break; end end return n", 5),
        ("return redis.call('XADD', KEYS[1], '5-1', 'f', ARGV[1])", b"5-1"),
        ("return redis.call('XLEN', 'nowhere')", 0),
        ("return string.match('1795-3', '%d+')", b"1795"),
        ("return string.format('%.0f', '1795' + 1)", b"1796"),
        ("return string.match('1795-3', '(%d+)%-(%d+)')", b"1795"),
        ("return string.match('a.b', '^(.-)%.')", b"a"),
        ("local s = '' for a, b in string.gmatch('1 2,3 4', '(%w+) (%w+)') do s = s .. b .. a end return s", b"2143"),
        ("return string.match('abc', '%d') == nil", 1),
        ("redis.call('XADD', KEYS[1], '*', 'f', 'v') return #redis.call('XRANGE', KEYS[1], '-', '+')", 1),
        ("return redis.call('LPOS', 'nowhere', 'x') == false", 1),
        ("return unpack({4, 5})", 4),
        ("return {1, unpack({4, 5})}", [1, 4, 5]),
    ],
)
def test_a_script_gives_what_redis_gives(raw: Any, script: str, reply: Any) -> None:
    assert raw.eval(script, 1, "key", "x") == reply


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("return function() end", "expected a value, not 'function'"),
        ("local = 1", "expected a name"),
        ("if true then break end", "no loop to break"),
        ("if true then return 1", "expected 'end', not 'end of script'"),
        ("return 1 @", "cannot read"),
        ("return nothing()", "the model cannot do this"),
        ("while true do local a = 1 end", "does not end"),
        ("return redis.call('NONE')", "unknown command"),
    ],
)
def test_what_it_does_not_understand_is_said(
    raw: Any, script: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redisipc.testing.scripts.MOST_STEPS", 1000)
    with pytest.raises(redis.ResponseError, match=message):
        raw.eval(script, 1, "key", "x")


def scripts(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [found for value in part.values() for found in scripts(value)]
    if not isinstance(part, list):
        return []
    own = [part[1]] if part[:1] == ["EVAL"] else []
    return [*own, *(found for value in part for found in scripts(value))]


def test_every_script_of_the_suite_is_understood() -> None:
    found = [
        script
        for path in sorted(SCENARIOS.rglob("*.yaml"))
        if "EVAL" in (text := path.read_text("utf-8"))
        for script in scripts(YAML(typ="safe").load(text))
    ]
    assert len(found) > 5
    for script in found:
        parsed(script)
        for library, name in re.findall(r"\b(string|table|math)\.(\w+)", script):
            assert name.encode() in LIBRARY[library], script
