"""A line of what passed, for people and for programs."""

from __future__ import annotations

from typing import Any

from redisipc.cli.output import Output, ago, clock, columns_of, cut, safe, shown
from redisipc.protocol.content import decode

from .pairs import Line, shown_group, shown_request

_STYLES = {
    "rejected": "red", "late": "yellow", "slow": "yellow", "redelivered": "yellow", "unanswered": "bold red",
    "orphaned": "yellow", "malformed": "bold red",
}  # fmt: skip


def text(out: Output, line: Line, with_content: bool = True) -> str:
    """``12:00:01.123 web -> stock reserve {"sku":1} => 7  1.2 ms``, cut to the terminal's width."""
    if line.kind == "malformed":
        return f"{clock(line.at)} {_marks(out, line)} {safe(line.text)}"
    head = f"{clock(line.at)} {safe(shown_group(line.source))} -> {safe(shown_group(line.destination))}"
    asked, answer = "", ""
    if line.request is not None:
        event, value = shown_request(line.request)
        head += f" {safe(event)}" if event is not None else ""
        asked = f" {shown(value, 4000)}" if with_content else ""
    if line.response is not None and with_content:
        answer = shown(decode(line.response.content), 4000)
    tail = "" if line.elapsed is None else f"  {ago(line.elapsed)}"
    tail += f"  by {line.by}" if line.by else ""
    tail += f"  {line.text}" if line.text else ""
    middle = "" if line.response is None else " =>"
    marks = "".join(f"  {mark}" for mark in line.marks)
    room = out.width - columns_of(head) - columns_of(middle) - columns_of(tail) - columns_of(marks)
    asked, answer = _fit(asked, f" {answer}" if answer else "", room)
    style = "red" if "rejected" in line.marks else "green" if line.response is not None else ""
    painted = out.paint(answer, style) if answer else ""
    return f"{out.paint(head, 'bold')}{asked}{middle}{painted}{tail}{'  ' if line.marks else ''}{_marks(out, line)}"


def _fit(one: str, other: str, room: int) -> tuple[str, str]:
    """Both cut so that they have ``room`` columns together; the shorter one is spared."""
    room = max(20, room)
    if columns_of(one) + columns_of(other) <= room:
        return one, other
    half = room // 2
    if columns_of(one) <= half:
        return one, cut(other, room - columns_of(one))
    if columns_of(other) <= half:
        return cut(one, room - columns_of(other)), other
    return cut(one, half), cut(other, room - half)


def _marks(out: Output, line: Line) -> str:
    return "  ".join(out.paint(mark, _STYLES.get(mark, "")) for mark in line.marks)


def record(line: Line, with_content: bool = True) -> dict[str, Any]:
    """The same for programs; ``schemas/cli-1/watch.json``."""
    value: dict[str, Any] = {"kind": line.kind, "at_ms": round(line.at * 1000, 3), "marks": list(line.marks)}
    if line.kind == "missed":
        return {**value, "missed": line.missed}
    entry = line.request or line.response
    if entry is not None:
        value["request_id"] = entry.id.decode("utf-8", "replace")
        value["entry_id"] = line.request.entry_id.decode() or None if line.request is not None else None
        value["source"], value["destination"] = line.source, line.destination
        value["event"] = line.event
        value["status"] = line.response.status.decode() if line.response is not None else None
    if with_content and line.request is not None:
        value["request"] = decode(line.request.content)
    if with_content and line.response is not None:
        value["response"] = decode(line.response.content)
    value["elapsed_ms"] = None if line.elapsed is None else round(line.elapsed * 1000, 3)
    if line.by:
        value["by"] = line.by
    if line.text:
        value["text"] = line.text
    return value
