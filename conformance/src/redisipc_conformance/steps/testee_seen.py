"""Reports of the testee: handlers started, outcomes, cancellations, errors, calls that ended."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..context.failure import Failed
from ..context.objects import Background, Endpoint, ErrorSeen, Outcome, Received, Send, Written
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import beyond, differs, show, widened
from ..scenario.model import Step
from .entries import refused_send, request_id
from .registry import word
from .waiting import WORD, Look, expect, held, missing, wrong

IDS_SHOWN = 4
"""How many request ids a failure names."""


@word("received")
async def received(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    endpoint = context.named(arguments["by"], Endpoint)
    parts = {
        key: context.expected(arguments[key])
        for key in ("content", "source", "instance", "redelivered", "event", "params", "id")
        if key in arguments
    }
    if isinstance(parts.get("source"), str):
        parts["source"] = context.group(parts["source"])
    if arguments.get("none") or "count" in arguments:
        wanted = 0 if arguments.get("none") else context.expected(arguments["count"])
        return await expect(
            context, step, "delivery", lambda: _how_many(context, endpoint, arguments, parts, wanted), word=True
        )
    found: Received = await expect(context, step, "delivery", lambda: _next(context, endpoint, arguments, parts))
    found.taken = True
    return found


def _of(context: ScenarioContext, endpoint: Endpoint, arguments: dict[str, Any]) -> tuple[list[Received], str | None]:
    """The notifications about `of`, and its id (empty: it has none yet)."""
    if "of" not in arguments:
        return endpoint.received, None
    id = request_id(context, arguments["of"])
    return [each for each in endpoint.received if each.id == id], id


def _how_many(
    context: ScenarioContext, endpoint: Endpoint, arguments: dict[str, Any], parts: dict[str, Any], wanted: Any
) -> Look:
    found, _ = _of(context, endpoint, arguments)
    found = [e for e in found if all(differs(want, e.params.get(key)) is None for key, want in parts.items())]
    told = differs(wanted, len(found))
    if told is None:
        return held(len(found))
    last = found[-1].note if found else None
    too_many = isinstance(wanted, int) and len(found) > wanted
    message = f"{endpoint.label} received {len(found)} requests"
    seen = f"{len(found)}{_ids(found)}"
    return Look(False, None, message, show(wanted), seen, final=too_many, nothing=not found, culprit=last)


def _ids(found: Sequence[Received]) -> str:
    """The ids of some of these requests, first those that came more than once."""
    often = Counter(each.id for each in found).most_common(IDS_SHOWN)
    told = ", ".join(f"{id} {times} times" if times > 1 else id for id, times in often)
    return f": {told}" if told else ""


def _next(context: ScenarioContext, endpoint: Endpoint, arguments: dict[str, Any], parts: dict[str, Any]) -> Look:
    found, id = _of(context, endpoint, arguments)
    waiting = [each for each in found if not each.taken]
    expected = f"a handler of {endpoint.label} is started" + (f" for {id}" if id else "")
    if not waiting:
        refused = refused_send(context, arguments["of"]) if id == "" else None
        if refused is not None:
            return wrong(
                f"the send was refused: {refused.content}", expected, "refused", final=True, culprit=refused.note
            )
        if id == "":
            return missing("the request was not written", expected, "no entry of it on the stream")
        answers = [] if id is None else _answers(context, endpoint, id)
        if answers:
            answered = f"{answers[0].status}: {show(answers[0].content)}"
            late = context.now() - answers[0].at > WORD
            message = f"{endpoint.label} answered the request, and started no handler"
            return wrong(message, expected, answered, final=late, culprit=answers[0])
        others = [each for each in endpoint.received if not each.taken]
        seen = f"only {len(others)} for other ids: {', '.join(each.id for each in others[:3])}" if others else "none"
        return missing(f"{endpoint.label} received nothing", expected, seen)
    fitting = next((each for each in waiting if _differs(each, parts) is None), None)
    # Of requests with one id, any may be started first.
    twins = sum(entry.id == id and entry.status == "pending" for entry in context.entry_log.entries) > 1
    first = fitting if fitting is not None and twins else waiting[0]
    told = _differs(first, parts)
    if told is None:
        return held(first)
    first.taken = not twins
    message = f"the handler got something else: {told}"
    return wrong(message, show(parts), show(first.params), final=not twins, culprit=first.note, value=first)


def _answers(context: ScenarioContext, endpoint: Endpoint, id: str) -> list[Written]:
    """The answers of the endpoint itself to the only request with this id."""
    found = [each for each in context.entry_log.entries if each.id == id]
    if sum(each.status == "pending" for each in found) != 1:
        return []
    return [each for each in found if each.status in ("fulfilled", "rejected") and each.by == endpoint.label]


def _differs(received: Received, parts: dict[str, Any]) -> str | None:
    for key, want in parts.items():
        if key == "redelivered" and key not in received.params:
            return "expected redelivered, saw no such key"
        told = differs(want, received.params.get(key), key)
        if told is not None:
            return told
    return None


@word("outcome")
async def outcome(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    send = context.named(arguments["of"], Send)
    if arguments.get("none"):
        return await expect(context, step, "response", lambda: _outstanding(send))
    wanted = context.expected(arguments["is"]) if "is" in arguments else None
    parts = {key: context.expected(arguments[key]) for key in ("content", "took") if key in arguments}
    if "took" in parts:
        parts["took"] = widened(parts["took"], context.delay)
    return await expect(
        context,
        step,
        "response",
        lambda: _outcome(send, context.monotonic(send.at), wanted, parts),
        allowed=_allowed(context, send, wanted),
    )


def _allowed(context: ScenarioContext, send: Send, wanted: Any) -> float:
    """How long an outcome may take. If it may be a timeout: the timeout plus the grace."""
    response = context.budgets["response"]
    if isinstance(wanted, str) and wanted != "timeout":
        return response
    timeout = 5.0 if send.timeout is None else max(send.timeout, 0.0)
    return max(response, timeout - (context.now() - send.at) + context.budgets["grace"])


def _outstanding(send: Send) -> Look:
    if send.outcome is None:
        return held()
    return wrong(
        "the send has ended already", "still outstanding", send.outcome.status, final=True, culprit=send.outcome.note
    )


ENDS_WITHIN = 1.0
"""Seconds after its timeout at which a send has ended, from SPEC.md's table of times."""
LOOK_LIMIT = 0.5
"""Seconds after which a last look may stop, from SPEC.md's table of times."""


def _outcome(send: Send, began: float, wanted: Any, parts: dict[str, Any]) -> Look:
    """`began`: the moment of the send, of time.monotonic."""
    expected = "an outcome" if wanted is None else show(wanted)
    if parts:
        expected += " with " + show(parts)
    ended: Outcome | None = send.outcome
    if ended is None:
        own = send.endpoint.options.get("timeout", 5.0)
        timeout = own if send.timeout is None and isinstance(own, (int, float)) else send.timeout or 0.0
        late = round(time.monotonic() - began - timeout, 1)
        if late <= ENDS_WITHIN:
            return missing("the send has not ended", expected, "still outstanding")
        # RIPC-TIME-4 bounds it: a broken bound was seen.
        hangs = wrong(f"the send has not ended {late:g} s after its timeout", expected, "still outstanding")
        hangs.since, hangs.over = began + timeout, late - ENDS_WITHIN
        return hangs
    if ended.status == "lost":
        return missing("the testee's process ended before the send did", expected, str(ended.content))
    seen = f"{ended.status} after {ended.took:.3f} s with content {show(ended.content)}"
    statuses = wanted if isinstance(wanted, list) else [wanted]
    told = None
    if wanted is not None and all(differs(each, ended.status) is not None for each in statuses):
        told = f"expected {' or '.join(map(show, statuses))}, saw {ended.status}"
    if told is None and "content" in parts:
        told = differs(parts["content"], ended.content, "content")
    late = 0.0
    if told is None and "took" in parts:
        told, late = differs(parts["took"], ended.took, "took"), beyond(parts["took"], ended.took)
    if told is None:
        return held(ended)
    message = f"the send did not end as expected: {told}"
    failed = wrong(message, expected, seen, final=True, culprit=ended.note, value=ended)
    failed.since, failed.over = began, late
    if ended.status == "timeout" and not late and "timeout" not in statuses:
        # A last look may stop after half a second. On a machine that is so slow, it finds nothing (RIPC-TIME-8).
        failed.since, failed.over = began + ended.took - LOOK_LIMIT, LOOK_LIMIT / 2
    return failed


@word("cancelled")
async def cancelled(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    endpoint = context.named(arguments["by"], Endpoint)
    request = context.named(arguments["request"], Received) if "request" in arguments else None

    def look() -> Look:
        hit = request.cancelled if request else any(each.cancelled for each in endpoint.received)
        if arguments.get("none"):
            return (
                wrong("a handler learnt that its request is gone", "nothing", "cancelled", final=True)
                if hit
                else held()
            )
        return held(request) if hit else missing("the handler did not learn it", "cancelled", "nothing")

    return await expect(context, step, "delivery", look)


@word("errors")
async def errors(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    endpoint = context.named(arguments["by"], Endpoint)
    parts = {key: context.expected(arguments[key]) for key in ("kind", "message", "fields") if key in arguments}

    def fitting() -> list[ErrorSeen]:
        return [each for each in endpoint.errors if all(_fits(parts, key, each) for key in parts)]

    if arguments.get("none") or "count" in arguments:
        wanted = 0 if arguments.get("none") else context.expected(arguments["count"])

        def count() -> Look:
            found = fitting()
            if differs(wanted, len(found)) is None:
                return held(len(found))
            seen = "; ".join(f"{each.kind}: {each.message}" for each in found[:3]) or "none"
            message = f"on_error of {endpoint.label} was called {len(found)} times"
            message += f" with {show(parts)}" if parts else ""
            culprit = found[-1].note if found else None
            too_many = isinstance(wanted, int) and len(found) > wanted
            return Look(False, None, message, show(wanted), seen, too_many, nothing=not found, culprit=culprit)

        return await expect(context, step, "delivery", count, word=True)

    def look() -> Look:
        found = [each for each in fitting() if not each.taken]
        if found:
            return held(found[0])
        others = [each for each in endpoint.errors if not each.taken]
        if not others:
            return missing(f"on_error of {endpoint.label} was not called", show(parts), "nothing")
        seen = "; ".join(f"{each.kind}: {each.message} {show(each.fields)}" for each in others[:3])
        return wrong(f"on_error of {endpoint.label} got something else", show(parts), seen, culprit=others[0].note)

    error: ErrorSeen = await expect(context, step, "delivery", look)
    error.taken = True
    return error


def _fits(parts: dict[str, Any], key: str, error: ErrorSeen) -> bool:
    return differs(parts[key], getattr(error, key)) is None


@word("done")
async def done(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments if isinstance(step.arguments, dict) else {"of": step.arguments}
    background = context.named(arguments["of"], Background)
    refused = bool(arguments.get("refused"))

    def look() -> Look:
        if not background.task.done():
            return missing("it has not ended", "done", "still running")
        error = None if background.task.cancelled() else background.task.exception()
        if background.task.cancelled():
            return wrong("it was stopped", "done", "stopped", final=True)
        if error is None:
            return (
                wrong("it was not refused", "a refusal", "done", final=True)
                if refused
                else held(background.task.result())
            )
        if isinstance(error, Failed):
            if refused and error.message.endswith("was refused"):
                return held()
            return Look(False, None, error.message, error.expected, error.seen, final=True, culprit=error.culprit)
        raise error

    return await expect(context, step, "recover", look)
