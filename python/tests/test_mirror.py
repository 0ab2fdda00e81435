"""Both faces offer the same: names, parameters, defaults; what waits in one is awaited in the other."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import redisipc
import redisipc.asyncio
from redisipc.runtime.blocks import Blocks

PAIRS = [
    (redisipc.Stream, redisipc.asyncio.Stream),
    (redisipc.Channel, redisipc.asyncio.Channel),
    (redisipc.Caller, redisipc.asyncio.Caller),
]
ONLY_ASYNCIO = {"aclose", "__aenter__", "__aexit__"}
ONLY_THREADS = {"__enter__", "__exit__"}
AWAITED = {
    "connect",
    "disconnect",
    "close",
    "run",
    "send_to_group",
    "request",
    "trigger_event",
    "ping",
    "wait_for_group",
}
TRANSLATED = {"Stream", "Channel", "Caller", "RequestFuture"}


def public(cls: type) -> dict[str, Any]:
    """Public members, and the context manager's."""
    keep = ONLY_ASYNCIO | ONLY_THREADS | {"__init__"}
    names = {name for name in dir(cls) if not name.startswith("_") or name in keep}
    members = {name: inspect.getattr_static(cls, name) for name in names}
    # The wrong kind of block is there to say so.
    return {name: member for name, member in members.items() if member is not vars(Blocks).get(name)}


def parameters(member: Any) -> list[tuple[str, Any, Any, Any]]:
    function = getattr(member, "__func__", member)
    return [(p.name, p.kind, p.default, p.annotation) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(("threads", "aio"), PAIRS)
def test_the_same_names(threads: type, aio: type) -> None:
    assert set(public(threads)) - ONLY_THREADS == set(public(aio)) - ONLY_ASYNCIO


@pytest.mark.parametrize(("threads", "aio"), PAIRS)
def test_the_same_parameters_and_defaults(threads: type, aio: type) -> None:
    others = public(aio)
    for name, member in public(threads).items():
        if name in ONLY_THREADS or not callable(getattr(threads, name)) or name == "events":
            continue
        assert parameters(member) == parameters(others[name]), name


@pytest.mark.parametrize(("threads", "aio"), PAIRS)
def test_what_waits_is_awaited(threads: type, aio: type) -> None:
    for name in set(public(aio)) - ONLY_ASYNCIO:
        function = getattr(public(aio)[name], "__func__", public(aio)[name])
        assert inspect.iscoroutinefunction(function) is (name in AWAITED), name


@pytest.mark.parametrize(("threads", "aio"), PAIRS)
def test_the_same_descriptions(threads: type, aio: type) -> None:
    allowed = {"disconnect", "close"}  # handlers that outlive the grace: a task can be cancelled, a thread cannot
    for name in set(public(threads)) - ONLY_THREADS - allowed:
        assert inspect.getdoc(getattr(threads, name)) == inspect.getdoc(getattr(aio, name)), name


def test_the_faces_list_the_same_names() -> None:
    assert redisipc.__all__ == redisipc.asyncio.__all__


def test_what_is_no_twin_is_the_same_object() -> None:
    for name in redisipc.__all__:
        if name not in TRANSLATED:
            assert getattr(redisipc, name) is getattr(redisipc.asyncio, name), name
