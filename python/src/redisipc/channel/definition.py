"""The events of a channel class: which methods they are, what they are called, which params they accept. No I/O."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar, overload

from redisipc.calls import explained_call
from redisipc.errors import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])
_MARK = "__redisipc_event__"


class EventDefinition(NamedTuple):
    """One event. ``params`` are those that are passed on; ``accepted`` those of them that the method takes as
    arguments.

    ``method`` is the name of the attribute, looked up at each call, so that a subclass may override it.
    """

    name: str
    method: str
    params: tuple[str, ...]
    accepted: frozenset[str]
    required: tuple[str, ...]


class _Mark(NamedTuple):
    name: str | None
    params: tuple[str, ...] | None


@overload
def event(name: F, /) -> F: ...


@overload
def event(name: str | None = None, params: Iterable[str] | None = None) -> Callable[[F], F]: ...


@explained_call
def event(name: Any = None, params: Iterable[str] | None = None) -> Any:
    """Mark a method of a ``Channel`` as an event that other groups can trigger.

    ``name`` is the name of the event; the default is the method's name. ``params`` are the parameters that the event
    accepts; the default is those of the method. Other parameters in a request are dropped. Parameters are passed by name,
    and a method that takes none finds them in ``self.params``. The value that the method returns fulfils the request, and
    an exception rejects it.
    """
    if callable(name) or isinstance(name, (staticmethod, classmethod)):
        return event()(name)
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise ConfigurationError(f"an event's name must be a string that is not blank, got {name!r}")
    if isinstance(params, str):
        raise ConfigurationError(f"params must be a list of names, such as params=[{params!r}]")
    if params is not None:
        params = _names(params)
    mark = _Mark(name, None if params is None else tuple(params))

    def decorate(method: F) -> F:
        if isinstance(method, type) or not (callable(method) or isinstance(method, (staticmethod, classmethod))):
            raise ConfigurationError(f"event marks a method of a Channel, got {_shown(method)}")
        setattr(method, _MARK, mark)
        return method

    return decorate


def _names(params: Any) -> tuple[str, ...]:
    if isinstance(params, Mapping) or not isinstance(params, Iterable):
        raise ConfigurationError(f"params must be a list of names, such as params=['title'], got {_shown(params)}")
    names = tuple(params)
    for name in names:
        if not isinstance(name, str):
            raise ConfigurationError(f"params must be a list of names, strings, but {name!r} is in it")
        if names.count(name) > 1:
            raise ConfigurationError(f"params has {name!r} twice; name each parameter once")
    return names


def _shown(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def events_of(cls: type) -> dict[str, EventDefinition]:
    """All events of a class by name, its own and those that it inherits."""
    found: dict[str, EventDefinition] = {}
    for base in reversed(cls.__mro__):
        own: dict[str, str] = {}
        for attribute, value in vars(base).items():
            if isinstance(value, property) and hasattr(value.fget, _MARK):
                raise ConfigurationError(f"{base.__name__}.{attribute} is a property; an event is a plain method")
            mark = getattr(value, _MARK, None)
            if isinstance(value, (staticmethod, classmethod)) and (mark or hasattr(value.__func__, _MARK)):
                raise ConfigurationError(
                    f"{base.__name__}.{attribute} is a {type(value).__name__}; an event is a plain method, each call of which has "
                    "an object of its own"
                )
            if not isinstance(mark, _Mark):
                continue
            _check_attribute(cls, base, attribute)
            definition = _define(base, attribute, value, mark)
            if definition.name in own:
                both = f"{own[definition.name]} and {attribute}"
                raise ConfigurationError(f"{base.__name__} defines the event {definition.name!r} twice: {both}")
            own[definition.name] = attribute
            found[definition.name] = definition
    return found


def _check_attribute(cls: type, base: type, attribute: str) -> None:
    """A method must not hide what ``Channel`` itself needs."""
    ours = [kind for kind in cls.__mro__ if kind.__module__.startswith("redisipc.")]
    if any(attribute in vars(kind) or attribute in vars(kind).get("__annotations__", {}) for kind in ours):
        raise ConfigurationError(
            f"{base.__name__}.{attribute}: Channel needs the name {attribute} itself; give the method another name, and keep "
            f"the event's name: @event({attribute!r})"
        )


def _define(cls: type, attribute: str, method: Any, mark: _Mark) -> EventDefinition:
    where = f"{cls.__name__}.{attribute}"
    parameters = list(inspect.signature(method).parameters.values())
    own = parameters.pop(0) if parameters else None
    if own is None or own.kind is own.KEYWORD_ONLY:
        raise ConfigurationError(
            f"{where} takes no self; an event is a method, each call of which has an object of its own"
        )
    if any(p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL) for p in parameters):
        raise ConfigurationError(
            f"{where}: the parameters of an event are passed by name; it cannot take them by position"
        )
    named = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
    open_ended = len(named) < len(parameters)
    names = tuple(p.name for p in named)
    if mark.params is None and open_ended:
        raise ConfigurationError(f"{where}: with **{parameters[-1].name}, say which params it accepts: params=[...]")
    params = names if mark.params is None else mark.params
    for name in names:
        if name not in params:
            raise ConfigurationError(f"{where}: {name} is a parameter of the method and not in params={list(params)}")
    return EventDefinition(
        name=mark.name or attribute,
        method=attribute,
        params=params,
        accepted=frozenset(params) if open_ended else frozenset(names),
        required=tuple(p.name for p in named if p.default is p.empty),
    )
