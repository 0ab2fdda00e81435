"""The fingerprint of a graph of objects: a flat tuple that is equal for graphs of equal shape and content."""

from __future__ import annotations

import enum
import itertools
import types
from collections import deque
from collections.abc import Callable
from typing import Any

from .layout import ATOMS, SKIPPED, layout, next_of


def fingerprint(root: Any) -> tuple[Any, ...]:
    """Everything in the graph; an object that occurs twice is named by its number the second time."""
    writer = _Writer()
    writer.write(root)
    return tuple(writer.parts)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.kept: list[Any] = []

    def write(self, item: Any) -> None:
        kind = type(item)
        if kind in ATOMS:
            self.parts.append(item)
            return
        number = self.numbers.get(id(item))
        if number is not None:
            self.parts.append(("again", number))
            return
        write = _WRITES.get(kind)
        if write is None:
            write = _WRITES[kind] = _how(kind)
        write(self, item)

    def _number(self, item: Any) -> None:
        self.numbers[id(item)] = len(self.numbers)

    def sequence(self, item: Any) -> None:
        self._number(item)
        self.parts.append(("sequence", type(item), len(item)))
        for part in item:
            self.write(part)

    def set(self, item: set[Any]) -> None:
        self.parts.append(frozenset(item))

    def dict(self, item: dict[Any, Any]) -> None:
        self._number(item)
        self.parts.append(("dict", len(item)))
        for key, value in item.items():
            self.write(key)
            self.write(value)

    def tuple(self, item: tuple[Any, ...]) -> None:
        self.parts.append(("tuple", type(item), len(item)))
        for part in item:
            self.write(part)

    def method(self, item: types.MethodType) -> None:
        self.parts.append(item.__func__)
        self.write(item.__self__)

    def function(self, item: types.FunctionType) -> None:
        self._number(item)
        self.parts.append(item.__code__)
        for cell in item.__closure__ or ():
            self.write(cell)

    def cell(self, item: types.CellType) -> None:
        self._number(item)
        try:
            content = item.cell_contents
        except ValueError:
            self.parts.append("empty")
            return
        self.write(content)

    def generator(self, item: Any) -> None:
        self._number(item)
        self.parts.append(item.gi_code)
        frame = item.gi_frame
        if frame is None:
            return
        self.parts.append(frame.f_lasti)
        names = dict(frame.f_locals)
        # Kept, for a number is only as good as the object that it stands for.
        self.kept.append(names)
        for name in sorted(names):
            self.parts.append(name)
            self.write(names[name])
        self.write(item.gi_yieldfrom)

    def count(self, item: itertools.count[int]) -> None:
        self.parts.append(next_of(item))

    def itself(self, item: Any) -> None:
        self.parts.append(item)

    def object(self, item: Any) -> None:
        self._number(item)
        kind = type(item)
        self.parts.append(kind)
        slots, has_dict = layout(kind)
        if has_dict:
            for name, value in item.__dict__.items():
                if (kind, name) not in SKIPPED:
                    self.parts.append(name)
                    self.write(value)
        for name in slots:
            if (kind, name) not in SKIPPED:
                self.write(getattr(item, name, None))


_WRITES: dict[type, Callable[[_Writer, Any], None]] = {
    list: _Writer.sequence,
    deque: _Writer.sequence,
    set: _Writer.set,
    dict: _Writer.dict,
    tuple: _Writer.tuple,
    types.MethodType: _Writer.method,
    types.FunctionType: _Writer.function,
    types.CellType: _Writer.cell,
    types.GeneratorType: _Writer.generator,
    itertools.count: _Writer.count,
    # Local variables of generators.
    type({}.keys()): _Writer.sequence,
    type({}.values()): _Writer.sequence,
    type({}.items()): _Writer.sequence,
}


def _how(kind: type) -> Callable[[_Writer, Any], None]:
    if issubclass(kind, (enum.Enum, BaseException)):
        return _Writer.itself
    if issubclass(kind, tuple):
        return _Writer.tuple
    if issubclass(kind, dict):
        return _Writer.dict
    if kind.__module__ in ("builtins", "itertools", "functools"):
        raise TypeError(f"no way to fingerprint a {kind.__name__}: add one")
    return _Writer.object
