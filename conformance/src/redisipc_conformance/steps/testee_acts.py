"""Commands of the runner to the testee: join, ask, answer, leave."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

from ..context.failure import Crashed, Failed
from ..context.objects import Background, Endpoint, Outcome, Received, Send
from ..context.scenario_context import ScenarioContext
from ..scenario.matchers import show
from ..scenario.model import Step
from ..testee.process import TesteeBroke, TesteeGone, TesteeProcess, TesteeRefused
from ..text import shorten
from .registry import word

CALLER_PREFIX = "caller:"
"""The form of a caller's name, which is in the place of a group (RIPC-ASK-1)."""


async def call(
    context: ScenarioContext,
    endpoint: Endpoint,
    method: str,
    parameters: dict[str, Any],
    *,
    budget: str,
    refused: bool | Literal["perhaps"] = False,
) -> dict[str, Any]:
    """One call about an endpoint, answered within the budget. `refused`: the testee must refuse the call, or may."""
    process = endpoint.process
    assert process is not None
    allowed = context.budgets[budget]
    began, since = context.budget_clock.now(), time.monotonic()
    try:
        future = await process.begin(method, {"endpoint": endpoint.handle, **parameters})
        result = await context.budget_clock.wait(future, allowed)
    except TesteeRefused as error:
        if refused:
            return {"refused": error.message}
        note = context.tell(endpoint.label, f"{method} refused: {error.message}")
        told = f"{method} was refused: {shorten(error.message)}"
        raise Failed(told, f"{method} is done", str(error), culprit=note) from error
    except TimeoutError as error:
        context.raise_if_crashed()
        context.suspects.add(process)
        told = f"the testee did not answer {method}({endpoint.label}) within {allowed:g} s"
        failed = Failed(told, f"an answer to {method}", "none", by_timeout=True, since=since, over=allowed / 2)
        raise failed from error
    except (TesteeGone, TesteeBroke) as error:
        raise _crash(context, error) from error
    finally:
        context.used(budget, allowed, context.budget_clock.now() - began)
    if refused is True:
        note = context.tell(endpoint.label, f"{method} was not refused", show(result))
        raise Failed(f"{method} must be refused", "a refusal", show(result), culprit=note)
    return result


def _crash(context: ScenarioContext, error: Exception) -> Exception:
    if context.crash is not None:
        return context.crash
    if isinstance(error, TesteeGone):
        return Failed(str(error), "the process lives", error.how)
    return Crashed(str(error))


def _background(context: ScenarioContext, work: Any) -> Background:
    task = context.spawn(work)
    # A step that awaits it with `done` sees how it ended. None has to.
    task.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
    task.add_done_callback(lambda ended: context.pulse.bump())
    background = Background(task, lambda: (task.cancel(), None)[1], context.now())
    context.backgrounds.append(background)
    return background


@word("connect")
async def connect(context: ScenarioContext, step: Step) -> Any:
    arguments = context.value(step.arguments)
    if isinstance(arguments, str):
        arguments = {"endpoint": arguments}
    label = arguments["endpoint"]
    # A serial testee plays one endpoint at a time.
    name = arguments.get("process", label if context.claims.serial else "one")
    process = await _process(context, name)
    tap = await context.tap(label)
    caller = bool(arguments.get("caller"))
    endpoint = Endpoint(
        label,
        "" if caller else str(arguments.get("group", label)),
        "",
        str(arguments.get("stream", context.stream)),
        handle=context.new_handle(label),
        process=process,
        process_name=name,
        tap=tap,
        events=arguments.get("events"),
        caller=caller,
        options=arguments.get("options", {}),
    )
    context.attach(endpoint)
    parameters: dict[str, Any] = {"url": tap.url, "stream": endpoint.stream}
    if not caller:
        parameters["group"] = endpoint.group
    if "options" in arguments:
        parameters["options"] = arguments["options"]
    if endpoint.events is not None:
        parameters["events"] = [{"params": [], **event} for event in endpoint.events]
    refused = bool(arguments.get("refused"))
    context.bind(label, endpoint)

    async def join() -> Endpoint:
        result = await call(context, endpoint, "connect", parameters, budget="connect", refused=refused)
        if refused:
            endpoint.connected = False
        else:
            if not tap.exchanges and not caller:
                # Whatever must *not* be seen of such an endpoint would hold.
                expected = f"commands over the connection to {tap.url}"
                raise Failed("connect was answered and nothing was sent to Redis", expected, "none")
            endpoint.instance = result["instance"]
            if caller:
                endpoint.group = f"{CALLER_PREFIX}{endpoint.instance}"
            about = {key: parameters[key] for key in ("options", "events") if key in parameters}
            context.tell(label, f"connected as instance {endpoint.instance}{f' with {show(about)}' if about else ''}")
        return endpoint

    # It may join though its answer is late, or though it should have refused: it must leave.
    endpoint.connected = True
    if arguments.get("wait") is False:
        return _background(context, join())
    return await join()


async def _process(context: ScenarioContext, name: str) -> TesteeProcess:
    try:
        return await context.processes.get(name)
    except Exception as error:
        raise Crashed(f"process {name!r} of the testee cannot be used: {error}") from error


async def _ask(context: ScenarioContext, step: Step, method: str, send: Send, parameters: dict[str, Any]) -> Send:
    process = send.endpoint.process
    assert process is not None
    context.sends.append(send)
    if step.bind and step.bind in context.cancelled_calls:
        send.call = parameters["call"] = context.new_handle("call")
    try:
        future = await process.begin(method, {"endpoint": send.endpoint.handle, **parameters})
    except (TesteeGone, TesteeBroke) as error:
        raise _crash(context, error) from error

    def ended(done: asyncio.Future[dict[str, Any]]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            result = done.result()
            status, content = result["outcome"], result.get("content")
        elif isinstance(error, TesteeRefused):
            status, content = "refused", error.message
        else:
            status, content = "lost", str(error)
        at = context.now()
        send.outcome = Outcome(status, content, at - send.at, at)
        send.outcome.note = context.tell(send.endpoint.label, f"{method} to {send.to} ended: {status}", show(content))
        context.pulse.bump()

    future.add_done_callback(ended)
    return send


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


@word("send")
async def send(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    endpoint = context.named(arguments["from"], Endpoint)
    to, content = context.group(arguments["to"]), context.value(arguments.get("content"))
    parameters = {"to": to, "content": content}
    if "timeout" in arguments:
        parameters["timeout"] = context.value(arguments["timeout"])
    sent = Send(endpoint, to, content, context.now(), _seconds(parameters.get("timeout")), "")
    return await _ask(context, step, "send", sent, parameters)


@word("trigger")
async def trigger(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    endpoint = context.named(arguments["from"], Endpoint)
    to = context.group(arguments["to"])
    content = {"event": context.value(arguments["event"])}
    parameters: dict[str, Any] = {"event": content["event"], "target": to}
    if "params" in arguments:
        content["params"] = parameters["params"] = context.value(arguments["params"])
    if "timeout" in arguments:
        parameters["timeout"] = context.value(arguments["timeout"])
    sent = Send(endpoint, to, content, context.now(), _seconds(parameters.get("timeout")), "", channel=True)
    return await _ask(context, step, "trigger", sent, parameters)


@word("cancel")
async def cancel(context: ScenarioContext, step: Step) -> Any:
    sent = context.named(step.arguments, Send)
    return await call(context, sent.endpoint, "cancel", {"call": sent.call}, budget="response")


@word("fork")
async def fork(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments
    endpoint = context.named(arguments["endpoint"], Endpoint)
    parameters = {"to": context.group(arguments["to"])}
    refused = bool(arguments.get("refused", False))
    return await call(context, endpoint, "fork", parameters, budget="response", refused=refused)


@word("block")
async def block(context: ScenarioContext, step: Step) -> Any:
    """The testee answers before the handler blocks: with one event loop, it reads no call until the block is over."""
    request = context.named(step.arguments["request"], Received)
    parameters = {"request": request.request, "seconds": context.seconds(step.arguments["seconds"])}
    return await call(context, request.endpoint, "block", parameters, budget="response")


@word("postpone")
async def postpone(context: ScenarioContext, step: Step) -> Any:
    """The handler ends, and its request stays open: a later `fulfill` or `reject` answers it."""
    request = context.named(step.arguments["request"], Received)
    parameters = {"request": request.request}
    if "message" in step.arguments:
        parameters["message"] = context.value(step.arguments["message"])
    return await call(context, request.endpoint, "postpone", parameters, budget="settle")


async def answer(context: ScenarioContext, step: Step, verb: str, key: str | None) -> Any:
    """fulfill, reject, raise, ignore."""
    arguments = step.arguments if isinstance(step.arguments, dict) else {"request": step.arguments}
    received = context.named(arguments["request"], Received)
    parameters: dict[str, Any] = {"request": received.request}
    received.answered = True
    if key is not None:
        parameters[key] = context.value(arguments.get(key, "" if key == "message" else None))
    if "cancelled" in arguments:
        parameters["cancelled"] = arguments["cancelled"]
    refused = arguments.get("refused", False)
    work = call(context, received.endpoint, verb, parameters, budget="settle", refused=refused)
    if arguments.get("wait") is False:
        return _background(context, work)
    return await work


@word("fulfill")
async def fulfill(context: ScenarioContext, step: Step) -> Any:
    return await answer(context, step, "fulfill", "content")


@word("reject")
async def reject(context: ScenarioContext, step: Step) -> Any:
    return await answer(context, step, "reject", "content")


@word("raise")
async def raise_(context: ScenarioContext, step: Step) -> Any:
    return await answer(context, step, "raise", "message")


@word("ignore")
async def ignore(context: ScenarioContext, step: Step) -> Any:
    return await answer(context, step, "ignore", None)


@word("disconnect")
async def disconnect(context: ScenarioContext, step: Step) -> Any:
    arguments = step.arguments if isinstance(step.arguments, dict) else {"endpoint": step.arguments}
    endpoint = context.named(arguments["endpoint"], Endpoint)
    parameters = {"limit": context.seconds(arguments["limit"])} if "limit" in arguments else {}

    async def leave() -> None:
        await call(context, endpoint, "disconnect", parameters, budget="disconnect")
        # One that failed to leave is asked again when the scenario ends.
        endpoint.connected = False
        context.tell(endpoint.label, "disconnected")

    if arguments.get("wait") is False:
        return _background(context, leave())
    return await leave()
