"""Calls of the public interface with arguments that do not fit: an error of the library's own kind says what does fit."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import ConfigurationError, Reject

if TYPE_CHECKING:
    from inspect import Parameter

C = TypeVar("C", bound=type)
F = TypeVar("F", bound=Callable[..., Any])

_ASYNC = 0x80
"""The flag of a code object that an ``async def`` has."""


def explained(cls: C) -> C:
    """A decorator of a public class: its wrong calls raise ``ConfigurationError``, which names the argument and the nearest one.

    It concerns the constructor and all public methods that the class itself defines.
    """
    return _explain(cls, "__init__")


def explained_methods(cls: C) -> C:
    """A decorator of a public class that the library makes for each request: as ``explained``, without the constructor."""
    return _explain(cls, "")


def _explain(cls: C, besides: str) -> C:
    done: dict[Any, Any] = {}
    for name, member in list(vars(cls).items()):
        if name.startswith("_") and name != besides:
            continue
        function = getattr(member, "__func__", member)
        if not hasattr(function, "__code__"):
            continue
        if function not in done:
            done[function] = explained_call(function)
        kind = type(member)
        setattr(cls, name, kind(done[function]) if kind in (classmethod, staticmethod) else done[function])
    return cls


def explained_call(function: F) -> F:
    """A decorator of a public function: as ``explained`` does for a class."""

    async def awaited(*arguments: Any, **named: Any) -> Any:
        try:
            waiting = function(*arguments, **named)
        except TypeError:
            _check(function, arguments, named)
            raise
        return await waiting

    def called(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except TypeError:
            _check(function, arguments, named)
            raise

    waits = function.__code__.co_flags & _ASYNC
    made: F = functools.wraps(function)(awaited if waits else called)  # type: ignore[assignment]
    return made


def _check(function: Any, arguments: Sequence[Any], named: dict[str, Any]) -> None:
    """Raise ``ConfigurationError`` where the arguments do not fit. Where they fit, the ``TypeError`` came from inside."""
    import inspect  # rare, and an import that everybody would pay for

    signature = inspect.signature(function)
    try:
        signature.bind(*arguments, **named)
    except TypeError as error:
        raise ConfigurationError(
            _said(list(signature.parameters.values()), function, arguments, named, error)
        ) from None


def _said(every: list[Parameter], function: Any, given: Sequence[Any], named: dict[str, Any], error: TypeError) -> str:
    """The text that says which argument does not fit, and which would."""
    where = function.__qualname__
    if every and every[0].name in ("self", "cls"):
        owner = given[0] if isinstance(given[0], type) else type(given[0])
        where = f"{owner.__name__}.{function.__name__}".removesuffix(".__init__")
        every, given = every[1:], given[1:]
    names = [one.name for one in every if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    places = [one.name for one in every if one.kind is one.POSITIONAL_OR_KEYWORD]
    needed = [one.name for one in every if one.default is one.empty and one.name in names]

    unknown = [name for name in named if name not in names]
    if unknown and not any(one.kind is one.VAR_KEYWORD for one in every):
        return f"{where} has no argument {unknown[0]!r}{_nearest(unknown[0], names)}"
    if len(given) > len(places):
        by_name = ", ".join(name for name in names if name not in places)
        rest = f"; give it by name, there are {by_name}" if by_name else ""
        takes = f"takes {', '.join(places)}" if places else "takes nothing"
        return f"{where} {takes} by position, but got a {type(given[len(places)]).__name__} as well{rest}"
    twice = [name for name in places[: len(given)] if name in named]
    if twice:
        return f"{where} got {twice[0]!r} twice, by position and by name; give it once"
    missing = [name for name in needed if name not in named and name not in places[: len(given)]]
    if missing:
        shape = ", ".join(name if name in places else f"{name}=..." for name in needed)
        return f"{where} needs {' and '.join(map(repr, missing))}; write {where.rpartition('.')[2]}({shape})"
    return f"{where}: {error}"


def _nearest(name: str, names: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, names, 1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; it takes {', '.join(names)}" if names else "; it takes none"


explained(Reject)  # errors.py imports nothing
