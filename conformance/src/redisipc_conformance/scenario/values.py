"""Evaluates values of a scenario: `${names}` put in, `{$forms}` made."""

from __future__ import annotations

import base64
import binascii
import random
import re
import time
from collections.abc import Callable
from typing import Any

from .. import jsontext
from .matchers import MATCHERS, Matcher
from .patterns import pattern

_NAME = re.compile(r"\$\{([^{}]+)\}")
_NESTED = re.compile(r"\$\{[^{}]*\$\{")
_UNICODE = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x2010, 0x2060), (0x4E00, 0x9FFF), (0x1F300, 0x1F64F)]


class BadValue(Exception):
    """This text of the scenario is not a value. The message says why."""


class Maker:
    """Makes values. `lookup` gives what a name stands for and raises BadValue for one that stands for nothing."""

    def __init__(self, lookup: Callable[[str], Any], source: random.Random) -> None:
        self._look_up = lookup
        self._source = source
        self._matchers = 0

    def value(self, written: Any) -> Any:
        """A definite value. Raises BadValue for a matcher."""
        before = self._matchers
        made = self.expected(written)
        if self._matchers != before:
            raise BadValue(f"a matcher stands where a value is needed: {written!r}")
        return made

    def expected(self, written: Any) -> Any:
        """A value, perhaps with matchers in it."""
        if isinstance(written, str):
            return self.text(written)
        if isinstance(written, list):
            return [self.expected(each) for each in written]
        if isinstance(written, dict):
            form = next((key for key in written if key.startswith("$")), None)
            if form is not None and not form.startswith("${"):
                return self._form(form, written)
            return {str(self.text(key)): self.expected(each) for key, each in written.items()}
        return written

    def text(self, written: str) -> Any:
        """`${name}` alone keeps its type; inside a text it becomes text."""
        if "${" not in written:
            return written
        while _NESTED.search(written):
            # `${d.${i}}`: the inner name first.
            inner = next(found for found in _NAME.finditer(written) if _NESTED.search(written[: found.end()]))
            written = written[: inner.start()] + _as_text(self._lookup(inner.group(1))) + written[inner.end() :]
        whole = _NAME.fullmatch(written)
        if whole:
            return self._lookup(whole.group(1))
        return _NAME.sub(lambda found: _as_text(self._lookup(found.group(1))), written)

    def _lookup(self, name: str) -> Any:
        found = self._look_up(name)
        # Only rows hold matchers; other values may be megabytes.
        if name.startswith("row.") and _holds_matcher(found):
            self._matchers += 1
        return found

    def _form(self, form: str, written: dict[str, Any]) -> Any:
        if form in MATCHERS:
            strange = [key for key in written if key not in MATCHERS]
            if strange:
                raise BadValue(f"{strange[0]!r} does not belong beside {form}")
            self._matchers += 1
            made = {key: self.expected(each) for key, each in written.items()}
            try:
                if "$match" in made:
                    pattern(str(made["$match"]))
            except ValueError as error:
                raise BadValue(str(error)) from error
            return Matcher(made)
        if form not in _FORMS:
            raise BadValue(f"{form} is not a form; there are {', '.join([*_FORMS, *MATCHERS])}")
        make, companions = _FORMS[form]
        strange = [key for key in written if key != form and key not in companions]
        if strange:
            raise BadValue(f"{strange[0]!r} does not belong beside {form}")
        try:
            return make(self._source, *(self.expected(written.get(key)) for key in (form, *companions)))
        except (ValueError, TypeError, binascii.Error) as error:
            raise BadValue(f"{form}: {error}") from error


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return jsontext.dumps(value)


def _holds_matcher(value: Any) -> bool:
    if not isinstance(value, (dict, list, Matcher)):
        return False
    work = [value]
    while work:
        item = work.pop()
        if isinstance(item, Matcher):
            return True
        if isinstance(item, dict):
            work.extend(item.values())
        elif isinstance(item, list):
            work.extend(item)
    return False


def _hex(source: random.Random, text: Any) -> bytes:
    return bytes.fromhex(str(text))


def _base64(source: random.Random, text: Any) -> bytes:
    return base64.b64decode(text, validate=True)


def _repeat(source: random.Random, what: Any, times: Any) -> Any:
    return what * int(times)


def _nest(source: random.Random, levels: Any, kind: Any) -> Any:
    value: Any = {} if kind == "object" else []
    for _ in range(int(levels) - 1):
        value = {"a": value} if kind == "object" else [value]
    return value


def _parse(source: random.Random, text: Any) -> Any:
    return jsontext.loads(text)


def _text_of(source: random.Random, value: Any) -> str:
    return jsontext.dumps(value)


def _now(source: random.Random, plus: Any) -> float:
    return time.time() + float(plus)


def _random(source: random.Random, kind: Any, length: Any) -> Any:
    size = 16 if length is None else int(length)
    if kind == "hex":
        return "".join(source.choice("0123456789abcdef") for _ in range(size))
    if kind == "text":
        return _random_text(source, size)
    if kind == "bytes":
        return source.randbytes(size)
    if kind == "json":
        return _random_json(source, 3)
    raise ValueError(f"hex, text, bytes or json, not {kind!r}")


def _between(source: random.Random, ends: Any) -> float:
    least, most = (float(end) for end in ends)
    return round(source.uniform(least, most), 3)


def _random_text(source: random.Random, size: int) -> str:
    return "".join(chr(source.randint(*source.choice(_UNICODE))) for _ in range(size))


def _random_json(source: random.Random, depth: int) -> Any:
    kind = source.randrange(7 if depth else 5)
    if kind == 0:
        return source.choice([None, True, False])
    if kind == 1:
        return source.randint(-(2**53) + 1, 2**53 - 1)
    if kind == 2:
        return source.choice([0.1, -2.5, 1e-7, 1.5e300, source.random()])
    if kind in (3, 4):
        return _random_text(source, source.randrange(12))
    members = [_random_json(source, depth - 1) for _ in range(source.randrange(5))]
    return members if kind == 5 else {_random_text(source, 4) + str(at): each for at, each in enumerate(members)}


_FORMS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "$hex": (_hex, ()),
    "$base64": (_base64, ()),
    "$repeat": (_repeat, ("times",)),
    "$nest": (_nest, ("in",)),
    "$parse": (_parse, ()),
    "$text": (_text_of, ()),
    "$random": (_random, ("length",)),
    "$between": (_between, ()),
    "$now": (_now, ()),
}
