"""Finds the entries that a step means: by the names of sends, received requests and entries, or by their content."""

from __future__ import annotations

from typing import Any

from ..context.objects import Outcome, Received, Send, Written
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import differs


def entry_of(context: ScenarioContext, label: Any) -> Written | None:
    """The entry of a label. For a send it is the request, or None while that is not written."""
    found: Any = context.named(label, Written, Send, Received)
    if isinstance(found, Send):
        return found.entry
    if isinstance(found, Received):
        return found.written or context.request_of(found)
    return found  # type: ignore[no-any-return]


def refused_send(context: ScenarioContext, label: Any) -> Outcome | None:
    """The outcome of a send that the testee refused to write: no entry of it will come."""
    name = context.value(label)
    found = context.names.get(name) if isinstance(name, str) else None
    if isinstance(found, Send) and found.entry is None and found.outcome is not None:
        return found.outcome if found.outcome.status == "refused" else None
    return None


def request_id(context: ScenarioContext, label: Any) -> str:
    """The request id of a label. Empty while there is none."""
    found: Any = context.named(label, Written, Send, Received)
    if isinstance(found, Received):
        return found.id
    entry = entry_of(context, label)
    return entry.id if entry is not None else ""


def field_differs(entry: Written, name: str, wanted: Any) -> str | None:
    """How a field differs: `content` is compared after decoding, `text` is the raw content."""
    if name == "content":
        return differs(wanted, entry.content, name) if entry.raw(name) is not None else "expected a content, saw none"
    raw = entry.raw("content" if name == "text" else name)
    if raw is None:
        return f"expected the field {name}, saw only {', '.join(f.decode(errors='replace') for f, _ in entry.pairs)}"
    return differs(wanted, readable(raw), name)


def readable(raw: bytes) -> str | bytes:
    """Text where it is text, else the bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def fits(entry: Written, where: dict[str, Any]) -> bool:
    return all(field_differs(entry, name, wanted) is None for name, wanted in where.items())


def where_of(context: ScenarioContext, written: dict[str, Any] | None) -> dict[str, Any]:
    """A `where`, its values made; groups may be names."""
    where = {name: context.expected(value) for name, value in (written or {}).items()}
    for name in ("source_group", "destination_group"):
        if isinstance(where.get(name), str):
            where[name] = context.group(where[name])
    return where


def answers_to(context: ScenarioContext, request: Written) -> list[Written]:
    """The entries that answer it: the same id, later on its stream.

    If there is none: the testee's responses that go from and to the right groups but belong to no request. A wrong
    answer is better evidence than a missing one.
    """
    later = context.entry_log.after(request)
    same = [entry for entry in later if entry.id == request.id]
    if same:
        return same
    requests = {entry.id for entry in context.entry_log.visible() if entry.status == "pending"}
    return [
        entry
        for entry in later
        if not entry.by_suite
        and entry.id not in requests
        and (entry.destination_group == request.source_group or entry.source_group == request.destination_group)
    ][:1]
