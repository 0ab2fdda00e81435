"""From the content of a request to the call of an event, or to the text that rejects it. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from redisipc.errors import ConfigurationError
from redisipc.protocol.reasons import MALFORMED_EVENT, UNSUPPORTED_EVENT, ReasonCode, reason
from redisipc.protocol.settings import check_timeout
from redisipc.runtime.reasons import OwnRejection

from .definition import EventDefinition

_MOST_MS = 2.0**53 - 1
"""The largest whole number that every reader of JSON has."""


class Call(NamedTuple):
    """An event to call: ``params`` as declared, ``arguments`` those that the method takes."""

    event: EventDefinition
    params: dict[str, Any]
    arguments: dict[str, Any]


def content_of(name: str, params: Mapping[str, Any] | None, timeout: float | None) -> dict[str, Any]:
    """The content of the request that triggers an event; a ``timeout`` of the call's own travels in ``meta``
    (RIPC-CHAN-3).
    """
    if callable(name):
        # Of other types, a gem sends what JSON can say; the other side rejects it (RIPC-CHAN-16).
        raise ConfigurationError(f"an event's name must be a string, got {type(name).__name__}; give the event's name")
    # RIPC-CHAN-1, RIPC-CHAN-2
    if params is not None and not isinstance(params, Mapping):
        raise ConfigurationError(f"params takes a dict of names and values, got {type(params).__name__}")
    content: dict[str, Any] = {"event": name, "params": dict(params or {})}
    if timeout is not None:
        # RIPC-CHAN-17: an integer of at least 1.
        content["meta"] = {"timeout_ms": max(1, round(min(check_timeout(timeout) * 1000, _MOST_MS)))}
    return content


def dispatch(events: Mapping[str, EventDefinition], content: Any) -> Call:
    """The event to call for a request's content. Raises ``OwnRejection`` with the text that the requester gets."""
    if not isinstance(content, dict):
        # RIPC-CHAN-12
        raise OwnRejection(ReasonCode.INVALID_PARAMS, f"{MALFORMED_EVENT}{_kind(content)}")
    name = content.get("event")
    event = events.get(name) if isinstance(name, str) else None
    if event is None:
        # RIPC-CHAN-5, RIPC-CHAN-11, RIPC-CHAN-16
        raise OwnRejection(ReasonCode.UNSUPPORTED_EVENT, f"{UNSUPPORTED_EVENT}{_shown(name)}")
    given = content.get("params")
    if given is None:
        # RIPC-CHAN-8
        given = {}
    if not isinstance(given, dict):
        # RIPC-CHAN-13
        raise _invalid(f"params must be an object, got {_kind(given)}")
    # RIPC-CHAN-4, RIPC-CHAN-6, RIPC-CHAN-7
    params = {name: given[name] for name in event.params if name in given}
    # RIPC-CHAN-15
    missing = [name for name in event.required if name not in params]
    if missing:
        raise _invalid(f"event {name!r} lacks {', '.join(missing)}")
    return Call(event, params, {name: value for name, value in params.items() if name in event.accepted})


def _invalid(text: str) -> OwnRejection:
    return OwnRejection(ReasonCode.INVALID_PARAMS, reason(ReasonCode.INVALID_PARAMS, text))


def _kind(value: Any) -> str:
    """The name that JSON has for the type of ``value``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _shown(name: Any) -> str:
    if isinstance(name, str):
        return name
    return "" if name is None else json.dumps(name, ensure_ascii=False)
