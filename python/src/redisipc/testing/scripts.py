"""EVAL, as far as scripts fill a stream: calls, one after the other, and counted loops of a call. It is not Lua."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from redisipc.protocol.commands import Arg, Command

from .redis_model.arguments import Refused

MOST_CALLS = 100_000
_CALL = re.compile(r"(return\s+)?redis\.call\(((?:[^()']|'[^']*'|\([^()]*\))*)\)\s*")
_LOOP = re.compile(r"for\s+(\w+)\s*=\s*(\d+)\s*,\s*(\d+)\s+do\s+(.*?)\bend\b\s*", re.DOTALL)
_PART = re.compile(
    r"\s*(?:'(?P<text>[^']*)'|(?P<from>KEYS|ARGV)\[(?P<at>\d+)\]|string\.format\('%0(?P<width>\d+)x',\s*(?P<hex>\w+)\)"
    r"|(?P<number>\w+))\s*(?:,|$)"
)


def run(script: str, keys: list[bytes], arguments: list[bytes], call: Callable[[Command], object]) -> object:
    """The result of the script. Raises ``Refused`` for a script that says more than this."""
    text = script.strip()
    given = {"KEYS": keys, "ARGV": arguments}
    while text:
        loop = _LOOP.match(text)
        if loop is not None:
            name, first, last, body = loop[1], int(loop[2]), int(loop[3]), loop[4].strip()
            inner = _CALL.fullmatch(body)
            if inner is None or last - first > MOST_CALLS:
                raise _unknown()
            for number in range(first, last + 1):
                call(tuple(_arguments(inner[2], given, {name: number})))
            text = text[loop.end() :]
            continue
        plain = _CALL.match(text)
        if plain is None:
            raise _unknown()
        reply = call(tuple(_arguments(plain[2], given, {})))
        if plain[1]:
            return reply
        text = text[plain.end() :]
    return None


def _arguments(text: str, given: dict[str, list[bytes]], counts: dict[str, int]) -> Iterator[Arg]:
    at = 0
    first = True
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part.end() == at:
            raise _unknown()
        at = part.end()
        value = _value(part, given, counts)
        yield value.decode().upper() if first else value
        first = False


def _value(part: re.Match[str], given: dict[str, list[bytes]], counts: dict[str, int]) -> bytes:
    if part["text"] is not None:
        return part["text"].encode()
    if part["from"] is not None:
        return given[part["from"]][int(part["at"]) - 1]
    name = part["hex"] or part["number"]
    if name not in counts and not name.isdigit():
        raise _unknown()
    number = counts[name] if name in counts else int(name)
    return b"%0*x" % (int(part["width"]), number) if part["hex"] else b"%d" % number


def _unknown() -> Refused:
    return Refused("ERR", "the model runs no Lua but calls and counted loops of one call")
