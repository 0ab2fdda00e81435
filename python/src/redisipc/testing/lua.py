"""Parses a script to statements: the part of Lua that scripts for EVAL mostly use."""

from __future__ import annotations

import re
from typing import Any

from .redis_model.arguments import Refused

Node = tuple[Any, ...]
"""A statement or an expression: its kind, then its parts."""

_TOKEN = re.compile(
    r"\s*(?:--[^\n]*)?\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<sign>\.\.|==|~=|<=|>=|[-+*/%#<>=(){}\[\],;.]))"
)
_WORDS = frozenset(
    {
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
        "repeat", "return", "then", "true", "until", "while"
    }
)  # fmt: skip
_BINARY = {
    "or": 1, "and": 2, "<": 3, ">": 3, "<=": 3, ">=": 3, "~=": 3, "==": 3, "..": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}  # fmt: skip
_UNARY = 7


def parsed(script: str) -> list[Node]:
    """Raises ``Refused`` for a script that needs more than this part of Lua."""
    parser = _Parser(script)
    block = parser.block()
    if parser.kind != "end of script":
        raise parser.wrong("a statement")
    return block


class _Parser:
    def __init__(self, script: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at, script = 0, script.rstrip()
        while at < len(script):
            token = _TOKEN.match(script, at)
            if token is None:
                raise Refused("ERR", f"Error compiling script: the model cannot read {script[at : at + 20]!r}")
            at, kind = token.end(), str(token.lastgroup)
            word = token[kind]
            self._tokens.append(("sign" if kind == "name" and word in _WORDS else kind, word))
        self._tokens.append(("end of script", ""))
        self._at = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def word(self) -> str:
        return self._tokens[self._at][1]

    def wrong(self, expected: str) -> Refused:
        return Refused("ERR", f"Error compiling script: the model expected {expected}, not {self.word or self.kind!r}")

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _is(self, sign: str) -> bool:
        """Takes the sign if it comes next."""
        if self.kind == "sign" and self.word == sign:
            self._at += 1
            return True
        return False

    def _need(self, sign: str) -> None:
        if not self._is(sign):
            raise self.wrong(repr(sign))

    def _name(self) -> str:
        if self.kind != "name":
            raise self.wrong("a name")
        return self._take()

    # statements

    def block(self) -> list[Node]:
        found: list[Node] = []
        while self.kind != "end of script" and self.word not in ("end", "else", "elseif"):
            if self._is(";"):
                continue
            if self._is("return"):
                ends = self.kind == "end of script" or self.word in ("end", "else", "elseif")
                found.append(("return", None if ends else self._expression()))
                self._is(";")
                break
            if self._is("break"):
                found.append(("break",))
                self._is(";")
                break
            found.append(self._statement())
        return found

    def _statement(self) -> Node:
        if self._is("local"):
            names = [self._name()]
            while self._is(","):
                names.append(self._name())
            return "local", names, self._expressions() if self._is("=") else []
        if self._is("if"):
            return self._if()
        if self._is("for"):
            return self._for()
        if self._is("while"):
            condition = self._expression()
            return "while", condition, self._body()
        target = self._suffixed()
        if target[0] == "call":
            return "do", target
        self._need("=")
        return "set", target, self._expression()

    def _if(self) -> Node:
        condition = self._expression()
        self._need("then")
        then = self.block()
        if self._is("elseif"):
            return "if", condition, then, [self._if()]
        otherwise = self.block() if self._is("else") else []
        self._need("end")
        return "if", condition, then, otherwise

    def _for(self) -> Node:
        names = [self._name()]
        if self._is("="):
            first = self._expression()
            self._need(",")
            last = self._expression()
            step: Node = self._expression() if self._is(",") else ("constant", 1)
            return "count", names[0], first, last, step, self._body()
        while self._is(","):
            names.append(self._name())
        self._need("in")
        items = self._expression()
        return "each", names, items, self._body()

    def _body(self) -> list[Node]:
        self._need("do")
        body = self.block()
        self._need("end")
        return body

    # expressions

    def _expressions(self) -> list[Node]:
        found = [self._expression()]
        while self._is(","):
            found.append(self._expression())
        return found

    def _expression(self, above: int = 0) -> Node:
        if self.kind == "sign" and self.word in ("not", "-", "#"):
            left: Node = ("unary", self._take(), self._expression(_UNARY))
        else:
            left = self._suffixed()
        while self.kind == "sign" and _BINARY.get(self.word, 0) > above:
            sign = self._take()
            # Only concatenation binds to the right.
            left = ("binary", sign, left, self._expression(_BINARY[sign] - (sign == "..")))
        return left

    def _suffixed(self) -> Node:
        found = self._plain()
        while True:
            if self._is("."):
                found = ("index", found, ("constant", self._name().encode()))
            elif self._is("["):
                found = ("index", found, self._expression())
                self._need("]")
            elif self._is("("):
                given = [] if self.word == ")" and self.kind == "sign" else self._expressions()
                self._need(")")
                found = ("call", found, given)
            else:
                return found

    def _plain(self) -> Node:
        if self.kind == "number":
            text = self._take()
            return "constant", float(text) if "." in text else int(text)
        if self.kind == "text":
            return "constant", re.sub(r"\\(.)", r"\1", self._take()[1:-1]).encode()
        if self.kind == "name":
            return "name", self._take()
        for word, value in (("nil", None), ("true", True), ("false", False)):
            if self._is(word):
                return "constant", value
        if self._is("("):
            inner = self._expression()
            self._need(")")
            return inner
        if self._is("{"):
            items = [] if self.word == "}" and self.kind == "sign" else self._expressions()
            self._need("}")
            return "table", items
        raise self.wrong("a value")
