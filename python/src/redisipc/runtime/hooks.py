"""Functions of the user, each with the context in which it was registered."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

from redisipc.errors import ConfigurationError


class Hook:
    """A function and the context variables of its registration; each call sees a copy of its own."""

    __slots__ = ("_context", "function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function: Callable[..., Any] = function
        self._context = copy_context()

    def context(self) -> Context:
        """Each call gets a copy: other calls do not see what it sets."""
        return self._context.copy()

    def __call__(self, *arguments: Any) -> Any:
        return self._context.copy().run(self.function, *arguments)


class Hooks:
    """The functions that a user registered on a ``Stream``. Its sessions share them and do not hold the Stream itself.

    ``unserved_reason`` says why a content is rejected where no instance of the group has a handler; None: the usual
    reason.
    """

    __slots__ = ("on_error", "on_request", "on_state", "unserved_reason")

    def __init__(self) -> None:
        self.on_request: Hook | None = None
        self.on_error: Hook | None = None
        self.on_state: Hook | None = None
        self.unserved_reason: Callable[[bytes], str] | None = None


def check_function(what: str, function: Any, argument: str) -> None:
    """Raise ``ConfigurationError`` for what cannot be called with one argument; ``argument`` says which."""
    if not callable(function):
        raise ConfigurationError(f"{what} takes a function, got {type(function).__name__}")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # A builtin without a signature.
        return
    try:
        signature.bind(None)
    except TypeError as error:
        name = name_of(function)
        raise ConfigurationError(
            f"{what} takes a function of one argument, {argument}; {name} cannot be called so: {error}"
        ) from None


def name_of(function: Any) -> str:
    """The name of a function, for messages; of another callable, that of its class."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def is_async(function: Any) -> bool:
    """Whether calling it gives a coroutine or an asynchronous generator."""
    kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    return any(kind(function) or kind(type(function).__call__) for kind in kinds)
