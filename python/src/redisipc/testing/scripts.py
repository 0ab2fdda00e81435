"""EVAL: scripts in the part of Lua that `lua.py` reads, executed statement by statement."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redisipc.protocol.commands import Command, Failure

from .lua import Node, parsed
from .redis_model.arguments import Refused

MOST_STEPS = 1_000_000
"""The most statements of one script. A real server would stay busy for ever."""

Table = dict[Any, Any]
Call = Callable[[Command], object]


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _Break(Exception):
    """The innermost loop ends."""


def run(script: str, keys: list[bytes], arguments: list[bytes], call: Call) -> object:
    """The result of the script, as a reply. Raises ``Refused`` for what the model does not understand."""
    return _Script(keys, arguments, call).run(parsed(script))


def _table(items: list[Any]) -> Table:
    return dict(enumerate(items, 1))


def _listed(table: Table) -> list[Any]:
    """The items from 1 up to the first that is missing."""
    items: list[Any] = []
    while table.get(len(items) + 1) is not None:
        items.append(table[len(items) + 1])
    return items


def _from_redis(reply: Any) -> Any:
    if reply is None:
        return False
    return _table([_from_redis(item) for item in reply]) if type(reply) is list else reply


def _to_redis(value: Any) -> Any:
    if isinstance(value, dict):
        return [_to_redis(item) for item in _listed(value)]
    if value is True:
        return 1
    if isinstance(value, float):
        return int(value)
    return None if value is False else value


def _text(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool) or value is None:
        return {True: b"true", False: b"false", None: b"nil"}[value]
    if isinstance(value, (int, float)):
        return b"%.14g" % value
    raise Refused("ERR", "attempt to use a table as a string")


def _number(value: Any, base: int = 10) -> Any:
    """A number, or None for what is not one."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if not isinstance(value, bytes):
        return None
    for kind in (lambda text: int(text, base), float):
        try:
            return kind(value.decode())
        except ValueError:
            continue
    return None


def _format(pattern: bytes, *values: Any) -> bytes:
    left = list(values)

    def one(match: re.Match[bytes]) -> bytes:
        if match[0] == b"%%":
            return b"%"
        value = left.pop(0)
        return match[0] % (_text(value) if match[0].endswith(b"s") else _number(value))

    return re.sub(rb"%%|%[-+0# ]*\d*(?:\.\d+)?[dsxXfg]", one, pattern)


def _slice(text: bytes, first: int, last: int = -1) -> bytes:
    size = len(text)
    begin = max(first + size + 1 if first < 0 else first, 1)
    return text[begin - 1 : last + size + 1 if last < 0 else last]


def _match(text: Any, pattern: bytes) -> Any:
    """The first capture of a Lua pattern, else all that it matches; nil, if it does not match."""
    found = re.search(_expression_of(pattern), _text(text))
    return None if found is None else found[1] if found.re.groups else found[0]


def _matches(text: Any, pattern: bytes) -> list[tuple[bytes, ...]]:
    """For each match, its captures; all that it matches, if the pattern has none."""
    return [found.groups() or (found[0],) for found in re.finditer(_expression_of(pattern), _text(text))]


def _expression_of(pattern: bytes) -> bytes:
    """A Lua pattern as a regular expression: classes, escapes and the short repetition differ."""

    def one(part: re.Match[bytes]) -> bytes:
        if part[0] == b"-":
            return b"*?"
        return _CLASSES.get(part[0][1:]) or re.escape(part[0][1:])

    return re.sub(rb"%.|(?<=.)-(?![^\[]*\])", one, pattern)


_CLASSES = {b"d": rb"\d", b"s": rb"\s", b"w": b"[A-Za-z0-9]", b"a": b"[A-Za-z]", b"x": b"[0-9A-Fa-f]"}


def _insert(table: Table, *given: Any) -> None:
    items = _listed(table)
    items.insert(given[0] - 1 if len(given) == 2 else len(items), given[-1])
    table.update(_table(items))


LIBRARY: Table = {
    "tonumber": _number,
    "tostring": _text,
    "ipairs": lambda table: list(enumerate(_listed(table), 1)),
    "pairs": lambda table: list(table.items()),
    "unpack": _listed,
    "string": {
        b"format": _format,
        b"upper": lambda text: _text(text).upper(),
        b"lower": lambda text: _text(text).lower(),
        b"rep": lambda text, times: _text(text) * times,
        b"len": lambda text: len(_text(text)),
        b"sub": _slice,
        b"match": _match,
        b"gmatch": _matches,
    },
    "table": {
        b"insert": _insert,
        b"concat": lambda table, between=b"": between.join(map(_text, _listed(table))),
    },
    "math": {b"floor": lambda value: int(value // 1), b"max": max, b"min": min},
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: isinstance(a, bool) == isinstance(b, bool) and a == b,
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
    "..": lambda a, b: _text(a) + _text(b),
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": operator.mod,
}  # fmt: skip
ARITHMETIC = frozenset("+-*/%")


class _Script:
    def __init__(self, keys: list[bytes], arguments: list[bytes], call: Call) -> None:
        self._call = call
        self._steps = 0
        redis = {b"call": self._redis, b"pcall": lambda *words: self._redis(*words, raises=False)}
        self._names: Table = {"KEYS": _table(keys), "ARGV": _table(arguments), "redis": redis, **LIBRARY}

    def run(self, block: list[Node]) -> Any:
        try:
            self._block(block)
        except _Return as ended:
            return _to_redis(ended.value)
        except _Break:
            raise Refused("ERR", "Error compiling script: no loop to break") from None
        except (TypeError, ValueError, IndexError, KeyError, ZeroDivisionError) as error:
            raise Refused("ERR", f"Error running script: the model cannot do this: {error}") from error
        return None

    def _redis(self, *words: Any, raises: bool = True) -> Any:
        name, *rest = map(_text, words)
        reply = self._call((name.decode().upper(), *rest))
        if isinstance(reply, Failure) and raises:
            raise Refused(reply.kind, reply.message.removeprefix(f"{reply.kind} "))
        return _from_redis(reply)

    # statements; every name is global, which makes no difference to scripts of one block

    def _block(self, block: list[Node]) -> None:
        for statement in block:
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise Refused("BUSY", "the script does not end")
            getattr(self, f"_do_{statement[0]}")(*statement[1:])

    def _do_return(self, value: Node | None) -> None:
        # Redis uses the first of several.
        raise _Return(None if value is None else next(iter(self._values([value])), None))

    def _do_break(self) -> None:
        raise _Break

    def _do_local(self, names: list[str], values: list[Node]) -> None:
        found = self._values(values)
        self._names.update(zip(names, [*found, *[None] * len(names)], strict=False))

    def _do_do(self, call: Node) -> None:
        self._value(call)

    def _do_set(self, target: Node, value: Node) -> None:
        if target[0] == "name":
            self._names[target[1]] = self._value(value)
        else:
            self._value(target[1])[self._value(target[2])] = self._value(value)

    def _do_if(self, condition: Node, then: list[Node], otherwise: list[Node]) -> None:
        self._block(then if self._holds(condition) else otherwise)

    def _do_while(self, condition: Node, body: list[Node]) -> None:
        with suppress(_Break):
            while self._holds(condition):
                self._steps += 1
                self._block(body)

    def _do_count(self, name: str, first: Node, last: Node, step: Node, body: list[Node]) -> None:
        by = self._value(step)
        with suppress(_Break):
            for number in range(self._value(first), self._value(last) + (1 if by > 0 else -1), by):
                self._names[name] = number
                self._block(body)

    def _do_each(self, names: list[str], items: Node, body: list[Node]) -> None:
        with suppress(_Break):
            for pair in self._value(items):
                self._names.update(zip(names, pair, strict=False))
                self._block(body)

    # expressions

    def _holds(self, node: Node) -> bool:
        value = self._value(node)
        return value is not None and value is not False

    def _values(self, nodes: list[Node]) -> list[Any]:
        """`unpack` at the end gives several."""
        found = [self._value(node) for node in nodes]
        if nodes and nodes[-1][0] == "call" and nodes[-1][1] == ("name", "unpack"):
            return [*found[:-1], *found[-1]]
        return found

    def _value(self, node: Node) -> Any:
        kind, *parts = node
        if kind == "constant":
            return parts[0]
        if kind == "name":
            return self._names.get(parts[0])
        if kind == "index":
            return self._value(parts[0]).get(self._value(parts[1]))
        if kind == "call":
            return self._value(parts[0])(*self._values(parts[1]))
        if kind == "table":
            return _table(self._values(parts[0]))
        if kind == "unary":
            return self._unary(parts[0], self._value(parts[1]))
        return self._binary(*parts)

    def _unary(self, sign: str, value: Any) -> Any:
        if sign == "not":
            return value is None or value is False
        if sign == "-":
            return -value
        return len(_listed(value)) if isinstance(value, dict) else len(value)

    def _binary(self, sign: str, first: Node, second: Node) -> Any:
        left = self._value(first)
        if sign in ("and", "or"):
            falls = left is None or left is False
            return self._value(second) if falls == (sign == "or") else left
        if sign == "~=":
            return not BINARY["=="](left, self._value(second))
        right = self._value(second)
        if sign in ARITHMETIC:
            # A text that is a number is one.
            left, right = _number(left), _number(right)
        return BINARY[sign](left, right)
