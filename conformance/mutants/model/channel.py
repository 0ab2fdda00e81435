"""Named events (section 12)."""

from __future__ import annotations

from typing import Any

from .mutation import mutant

CLASSES = {list: "Array", str: "String", bool: "TrueClass", int: "Integer", float: "Float", type(None): "NilClass"}


class EventRefused(Exception):
    """A request that names no event of this channel. The text is the reason of the rejection."""


def content_of(event: Any, params: Any, timeout: Any = None) -> dict[str, Any]:
    """The content of a triggered event; ``timeout`` in seconds, where the sender has one of its own. Raises ValueError."""
    if not isinstance(event, str) or not (params is None or isinstance(params, dict)):
        raise ValueError("an event has a name and an object of parameters")
    if mutant("event-under-another-key"):
        return {"name": event, "params": params or {}}
    if mutant("params-beside-the-event"):
        return {"event": event, **(params or {})}
    content: dict[str, Any] = {"event": event, "params": params or {}}
    if mutant("no-params-no-key") and not params:
        del content["params"]
    if mutant("null-for-no-params") and not params:
        content["params"] = None
    if mutant("a-version-in-the-content"):
        content["version"] = 1
    if timeout is not None:
        told = timeout if mutant("tells-its-timeout-in-seconds") else max(1, round(timeout * 1000))
        content["meta"] = {"timeout_ms": round(timeout * 1000) if mutant("tells-a-timeout-of-0") else told}
    return content


def event_of(
    declared: dict[str, list[str]], required: dict[str, list[str]], content: Any
) -> tuple[str, dict[str, Any]]:
    """Which event runs and what parameters it sees. Raises ``EventRefused``."""
    if not isinstance(content, dict):
        if mutant("malformed-content-runs-the-first-event"):
            return next(iter(declared)), {}
        if mutant("malformed-content-in-other-words"):
            raise EventRefused("invalid content")
        raise EventRefused(f"Malformed event data. Expected Hash, got {CLASSES.get(type(content), 'Object')}")
    if mutant("unknown-keys-refused") and content.keys() - {"event", "params"}:
        raise EventRefused("Malformed event data. Unknown keys")
    name = _name(declared, content.get("event"))
    params = content.get("params")
    if mutant("params-needed") and "params" not in content:
        raise EventRefused("Malformed event data. No params")
    if mutant("null-params-refused") and params is None:
        raise EventRefused("Malformed event data. No params")
    if params is None or (mutant("odd-params-as-none") and not isinstance(params, dict)):
        params = {}
    if not isinstance(params, dict):
        raise EventRefused("Malformed event data. Expected Hash for params")
    lost = [one for one in required[name] if one not in params]
    if lost and not mutant("runs-without-required"):
        which = "" if mutant("lost-params-unnamed") else f": {', '.join(lost)}"
        raise EventRefused(f"Missing params{which}")
    return name, _declared(declared[name], params)


def _name(declared: dict[str, list[str]], name: Any) -> str:
    if mutant("event-names-in-any-case") and isinstance(name, str):
        name = next((known for known in declared if known.lower() == name.lower()), name)
    if mutant("event-names-by-prefix") and isinstance(name, str):
        name = next((known for known in declared if name.startswith(known)), name)
    if mutant("event-names-as-text") and not isinstance(name, str):
        name = str(name)
    if mutant("without-an-event-runs-the-only-one") and name is None and len(declared) == 1:
        name = next(iter(declared))
    if mutant("always-the-first-event") and name in declared:
        return next(iter(declared))
    if not isinstance(name, str) or name not in declared:
        if mutant("unknown-events-in-other-words"):
            raise EventRefused(f"Unknown event {name}")
        raise EventRefused(f"Unsupported event. Given {name}")
    return name


def _declared(names: list[str], params: dict[str, Any]) -> dict[str, Any]:
    if mutant("all-params-passed"):
        return params
    if mutant("missing-params-as-null"):
        return {name: params.get(name) for name in names}
    if mutant("null-params-dropped"):
        return {name: params[name] for name in names if params.get(name) is not None}
    return {name: params[name] for name in names if name in params}
