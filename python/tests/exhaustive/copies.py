"""A copy of a graph of objects that shares nothing that can change.

The core is pure, so its state is what hangs on the ``Endpoint``: records, lists, and the closures that wait for replies. A copy
follows closures into their cells. A generator has no copy.
"""

from __future__ import annotations

import enum
import itertools
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from .layout import ATOMS, layout, next_of


class Uncopyable(Exception):
    """There is a generator in the graph: its state is reached again only by the calls that led to it."""


def copy(root: Any) -> Any:
    """The same graph again."""
    return _Copier().copy(root)


class _Copier:
    def __init__(self) -> None:
        self.memo: dict[int, Any] = {}

    def copy(self, item: Any) -> Any:
        kind = type(item)
        if kind in ATOMS:
            return item
        known = self.memo.get(id(item))
        if known is not None:
            return known
        make = _COPIES.get(kind)
        if make is None:
            make = _COPIES[kind] = _how(kind)
        return make(self, item)

    def list(self, item: list[Any]) -> list[Any]:
        twin: list[Any] = []
        self.memo[id(item)] = twin
        twin.extend([part if type(part) in ATOMS else self.copy(part) for part in item])
        return twin

    def deque(self, item: deque[Any]) -> deque[Any]:
        twin: deque[Any] = deque(maxlen=item.maxlen)
        self.memo[id(item)] = twin
        twin.extend([self.copy(part) for part in item])
        return twin

    def set(self, item: set[Any]) -> set[Any]:
        twin = {self.copy(part) for part in item}
        self.memo[id(item)] = twin
        return twin

    def dict(self, item: dict[Any, Any]) -> dict[Any, Any]:
        twin = defaultdict(item.default_factory) if isinstance(item, defaultdict) else type(item)()
        self.memo[id(item)] = twin
        for key, value in item.items():
            twin[self.copy(key)] = value if type(value) in ATOMS else self.copy(value)
        return twin

    def tuple(self, item: tuple[Any, ...]) -> tuple[Any, ...]:
        parts = [self.copy(part) for part in item]
        if all(new is old for new, old in zip(parts, item, strict=True)):
            return item
        twin = tuple.__new__(type(item), parts)
        self.memo[id(item)] = twin
        return twin

    def method(self, item: types.MethodType) -> types.MethodType:
        twin = types.MethodType(item.__func__, self.copy(item.__self__))
        self.memo[id(item)] = twin
        return twin

    def function(self, item: types.FunctionType) -> types.FunctionType:
        if item.__closure__ is None:
            return item
        # All cells are known before the first is filled: what one holds may lead to a function that shares the others.
        fresh = [cell for cell in item.__closure__ if id(cell) not in self.memo]
        for cell in fresh:
            self.memo[id(cell)] = types.CellType()
        cells = tuple(self.memo[id(cell)] for cell in item.__closure__)
        twin = types.FunctionType(item.__code__, item.__globals__, item.__name__, item.__defaults__, cells)
        twin.__kwdefaults__ = item.__kwdefaults__
        self.memo[id(item)] = twin
        for cell in fresh:
            self._fill(cell)
        return twin

    def _fill(self, cell: types.CellType) -> None:
        try:
            content = cell.cell_contents
        except ValueError:
            # Not bound yet, or not any more.
            return
        self.memo[id(cell)].cell_contents = self.copy(content)

    def count(self, item: itertools.count[int]) -> itertools.count[int]:
        twin = itertools.count(next_of(item))
        self.memo[id(item)] = twin
        return twin

    def generator(self, item: Any) -> Any:
        raise Uncopyable(item)

    def itself(self, item: Any) -> Any:
        return item

    def object(self, item: Any) -> Any:
        kind: Any = type(item)
        twin = kind.__new__(kind)
        self.memo[id(item)] = twin
        slots, has_dict = layout(kind)
        if has_dict:
            target = twin.__dict__
            for name, value in item.__dict__.items():
                target[name] = value if type(value) in ATOMS else self.copy(value)
        for name in slots:
            try:
                value = getattr(item, name)
            except AttributeError:
                continue
            setattr(twin, name, value if type(value) in ATOMS else self.copy(value))
        return twin


_COPIES: dict[type, Callable[[_Copier, Any], Any]] = {
    list: _Copier.list,
    deque: _Copier.deque,
    set: _Copier.set,
    dict: _Copier.dict,
    defaultdict: _Copier.dict,
    Counter: _Copier.dict,
    OrderedDict: _Copier.dict,
    tuple: _Copier.tuple,
    types.MethodType: _Copier.method,
    types.FunctionType: _Copier.function,
    types.GeneratorType: _Copier.generator,
    itertools.count: _Copier.count,
}


def _how(kind: type) -> Callable[[_Copier, Any], Any]:
    if issubclass(kind, (enum.Enum, BaseException)):
        return _Copier.itself
    if issubclass(kind, tuple):
        return _Copier.tuple
    if kind.__module__ in ("builtins", "itertools", "functools"):
        raise TypeError(f"no way to copy a {kind.__name__}: add one")
    return _Copier.object
