"""The faces list what is public, and nothing else; everything public says what it is."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import redisipc
import redisipc.asyncio
from redisipc import errors


@pytest.mark.parametrize("face", [redisipc, redisipc.asyncio])
def test_all_is_sorted_and_complete(face: ModuleType) -> None:
    loaded = {name for name, value in vars(face).items() if not name.startswith("_") and not inspect.ismodule(value)}
    listed = {name for name in dir(face) if not name.startswith("_") and not inspect.ismodule(getattr(face, name))}
    assert sorted(face.__all__) == face.__all__
    assert set(face.__all__) == listed | {"__version__"}
    assert loaded - {"TYPE_CHECKING", "lazily"} <= listed


def test_every_error_is_exported() -> None:
    kinds = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert kinds <= set(redisipc.__all__)


@pytest.mark.parametrize("name", [name for name in redisipc.__all__ if name != "__version__"])
def test_everything_public_is_described(name: str) -> None:
    value = getattr(redisipc, name)
    assert inspect.getdoc(value)
    if inspect.isclass(value) and not issubclass(value, Exception):
        for member_name, member in inspect.getmembers(value):
            if not member_name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
                assert inspect.getdoc(member), f"{name}.{member_name}"


def fresh(text: str) -> str:
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_sets_up_no_logging() -> None:
    text = (
        "import logging, redisipc; redisipc.Stream; print(logging.root.handlers, logging.getLogger('redisipc').level)"
    )
    assert fresh(text) == "[] 0"


def test_without_logging_set_up_nothing_is_printed() -> None:
    text = "import logging; from redisipc import Stream; logging.getLogger('redisipc').error('trouble')"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


# what is loaded when

REDIS = "import redis"
NOT_OF_REDIS = {"__future__", "dataclasses"}
"""Modules of others that we load, whether every version of redis-py does or not."""


def modules(text: str) -> set[str]:
    return set(fresh(f"import sys; {text}; print(*sys.modules)").split())


def ours(text: str) -> set[str]:
    return {name for name in modules(text) if name.partition(".")[0] == "redisipc"}


@pytest.mark.parametrize("face", ["redisipc", "redisipc.asyncio"])
def test_importing_a_face_loads_only_errors(face: str) -> None:
    assert ours(f"import {face}") == {"redisipc", face, "redisipc.errors", "redisipc.lazy", "redisipc.version"}


@pytest.mark.parametrize("name", ["Stream", "Channel"])
@pytest.mark.parametrize(
    ("face", "own", "other"), [("redisipc", "threads", "asyncio"), ("redisipc.asyncio", "asyncio", "threads")]
)
def test_one_runtime_does_not_load_the_other(face: str, own: str, other: str, name: str) -> None:
    loaded = ours(f"from {face} import {name}")
    assert f"redisipc.runtime.{own}.stream" in loaded
    assert not {found for found in loaded - {face} if other in found.split(".")}


@pytest.mark.parametrize("face", ["redisipc", "redisipc.asyncio"])
def test_channels_are_loaded_only_where_used(face: str) -> None:
    loaded = ours(f"from {face} import Options, Request, Response, Stream")
    assert not {name for name in loaded if name.startswith("redisipc.channel")}


@pytest.mark.parametrize("face", ["redisipc", "redisipc.asyncio"])
def test_what_tests_need_is_loaded_with_nothing_else(face: str) -> None:
    assert not {name for name in ours(f"from {face} import *") if name.startswith("redisipc.testing")}


@pytest.mark.parametrize("face", ["redisipc", "redisipc.asyncio"])
def test_importing_loads_nothing_but_redis_py_and_what_that_loads(face: str) -> None:
    more = modules(f"from {face} import *") - modules(f"{REDIS}, redis.asyncio")
    assert {name for name in more if name.partition(".")[0] != "redisipc"} <= NOT_OF_REDIS


@pytest.mark.parametrize("face", ["redisipc", "redisipc.asyncio"])
def test_a_star_import_gets_all_names(face: str) -> None:
    text = f"import {face}; names = set({face}.__all__); from {face} import *; print(names - set(globals()))"
    assert fresh(text) == "set()"


def test_a_pickle_of_a_public_class_opens_in_a_new_process() -> None:
    raw = pickle.dumps((redisipc.Options(timeout=3), redisipc.Stream, redisipc.RequestTimeout("late")))
    assert "Options(timeout=3" in fresh(f"import pickle; print(pickle.loads({raw!r}))")


@pytest.mark.parametrize("face", [redisipc, redisipc.asyncio])
def test_a_name_that_does_not_exist_is_named(face: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{face.__name__}' has no attribute 'Strem'"):
        face.Strem  # noqa: B018


def instructions(text: str) -> dict[str, int]:
    """Bytes of byte code of the modules that a program loads, by package. Their time is in ``benchmarks/importing.py``."""
    program = f"""
import sys
import types

def size(code):
    return len(code.co_code) + sum(size(one) for one in code.co_consts if isinstance(one, types.CodeType))

{text}
for name, module in list(sys.modules.items()):
    package = name.partition(".")[0]
    if package in ("redis", "redisipc"):
        print(package, size(module.__spec__.loader.get_code(module.__spec__.name)))
"""
    sizes: dict[str, int] = {}
    for line in fresh(program).splitlines():
        name, _, count = line.rpartition(" ")
        sizes[name] = sizes.get(name, 0) + int(count)
    return sizes


@pytest.mark.parametrize("face", ["redisipc", "redisipc.asyncio"])
def test_a_program_loads_half_as_much_of_ours_as_of_redis_py_at_most(face: str) -> None:
    sizes = instructions(f"from {face} import Channel, Options, Stream, event")
    assert 0 < sizes["redisipc"] <= 0.5 * sizes["redis"]


def test_no_value_is_public_by_accident() -> None:
    public: dict[str, Any] = {name: getattr(redisipc, name) for name in redisipc.__all__}
    assert all(callable(value) or name == "__version__" for name, value in public.items())
