"""The step `entry`: an entry that was ever written, and what must be in it."""

from __future__ import annotations

from typing import Any

from ..context.objects import Send, Written
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import differs, show
from ..scenario.model import Step
from .entries import answers_to, entry_of, field_differs, fits, readable, refused_send, where_of
from .registry import word
from .waiting import Look, expect, held, missing, wrong


@word("entry")
async def entry(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    where = where_of(context, arguments.get("where"))
    fields = where_of(context, arguments.get("fields"))
    if "count" in arguments:
        wanted = context.expected(arguments["count"])
        return await expect(context, step, "settle", lambda: _count(context, arguments, where, wanted))
    order = context.value(arguments["order"]) if "order" in arguments else None
    size = context.expected(arguments["size"]) if "size" in arguments else None

    def look() -> Look:
        found = _find(context, arguments, where)
        if isinstance(found, Look):
            return found
        told = _differs(arguments, found, fields, order, size)
        if told is not None:
            message = f"the entry {found.entry} does not match: {told}"
            expected = show(fields) if fields else show(order) if order else f"{size} bytes of content"
            return wrong(message, expected, _shown(found), final=True, culprit=found, value=found)
        return held(found)

    found: Written = await expect(context, step, "settle", look)
    found.named = True
    return found


def _shown(found: Written) -> str:
    return show([[readable(name), readable(value)] for name, value in found.pairs])


def _candidates(
    context: ScenarioContext, arguments: dict[str, Any], where: dict[str, Any]
) -> tuple[list[Written], str]:
    """The entries that the step may mean, and a description of them."""
    if "answer_to" in arguments:
        request = entry_of(context, arguments["answer_to"])
        if request is None:
            return [], "the answer to a request that was not written"
        found, what = answers_to(context, request), f"the answer to {request.id}"
    elif "of" in arguments:
        found, what = _of(context, arguments["of"])
    else:
        found, what = context.entry_log.visible(), "an entry"
    if "by" in arguments:
        by = str(context.value(arguments["by"]))
        found = [each for each in found if each.by == by]
        what += f" by {by}"
    if where:
        found = [each for each in found if fits(each, where)]
        what += f" where {show(where)}"
    return found, what


def _of(context: ScenarioContext, label: Any) -> tuple[list[Written], str]:
    name = context.value(label)
    entry_ = entry_of(context, label)
    if entry_ is None:
        return [], f"the request of {name}"
    if isinstance(context.names.get(name), Send):
        # A request that was written twice appears twice.
        again = [e for e in context.entry_log.visible() if e.id == entry_.id and e.status == entry_.status]
        return [entry_, *(e for e in again if e is not entry_)], f"the request of {name}"
    return [entry_], f"the entry {name}"


def _find(context: ScenarioContext, arguments: dict[str, Any], where: dict[str, Any]) -> Written | Look:
    found, what = _candidates(context, arguments, where)
    if "of" not in arguments and "answer_to" not in arguments:
        found = [each for each in found if not each.named]
    if found:
        return found[0]
    refused = refused_send(context, arguments["of"]) if "of" in arguments else None
    if refused is not None:
        return wrong(f"the send was refused: {refused.content}", what, "refused", final=True, culprit=refused.note)
    written = [e for e in context.entry_log.visible() if not e.by_suite]
    seen = f"{len(written)} entries of the testee" + "".join(f"; {_shown(e)}" for e in written[-2:])
    return missing(f"{what} was not written", what, seen)


def _differs(arguments: dict[str, Any], found: Written, fields: dict[str, Any], order: Any, size: Any) -> str | None:
    for name, wanted in fields.items():
        told = field_differs(found, name, wanted)
        if told is not None:
            return told
    names = [name.decode("utf-8", "replace") for name, _ in found.pairs]
    if order is not None and names != order:
        return f"expected the fields {', '.join(order)}; saw {', '.join(names)}"
    if arguments.get("exactly"):
        wanted_names = sorted("content" if name == "text" else name for name in fields)
        if sorted(names) != sorted(set(wanted_names)):
            return f"expected exactly the fields {', '.join(sorted(set(wanted_names)))}; saw {', '.join(names)}"
    if size is not None:
        return differs(size, len(found.raw("content") or b""), "bytes of content")
    return None


def _count(context: ScenarioContext, arguments: dict[str, Any], where: dict[str, Any], wanted: Any) -> Look:
    found, what = _candidates(context, arguments, where)
    told = differs(wanted, len(found))
    if told is None:
        return held(len(found))
    too_many = isinstance(wanted, int) and len(found) > wanted
    return Look(
        False,
        None,
        f"{what}: there are {len(found)}",
        show(wanted),
        "; ".join(map(_shown, found[:4])) or "none",
        final=too_many,
        nothing=not found,
        culprit=found[-1] if found else None,
    )
