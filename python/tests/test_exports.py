"""The faces list what is public, and nothing else; everything public says what it is."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import redisipc
import redisipc.asyncio
from redisipc import errors


@pytest.mark.parametrize("face", [redisipc, redisipc.asyncio])
def test_all_is_sorted_and_complete(face: ModuleType) -> None:
    names = {name for name, value in vars(face).items() if not name.startswith("_") and not inspect.ismodule(value)}
    assert sorted(face.__all__) == face.__all__
    assert set(face.__all__) == names | {"__version__"}


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


def test_the_threads_face_does_not_load_the_asyncio_one() -> None:
    text = "import sys, redisipc; print([m for m in sys.modules if m.startswith('redisipc') and 'asyncio' in m])"
    assert fresh(text) == "[]"


def test_importing_sets_up_no_logging() -> None:
    text = "import logging, redisipc; print(logging.root.handlers, logging.getLogger('redisipc').level)"
    assert fresh(text) == "[] 0"


def modules(text: str) -> set[str]:
    return set(fresh(f"import sys; {text}; print(*sys.modules)").split())


def test_importing_loads_nothing_but_redis_py_and_what_that_loads() -> None:
    more = modules("import redisipc") - modules("import redis, dataclasses, __future__")
    assert {name for name in more if name.partition(".")[0] != "redisipc"} == set()


@pytest.mark.skipif(sys.platform == "win32", reason="counts the processor time of children")
def test_importing_costs_little_beside_redis_py(tmp_path: Path) -> None:
    import resource

    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def seconds(text: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", text], check=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    seconds("import redisipc")
    bare, redis, ours = (
        min(seconds(text) for _ in range(5)) for text in ("pass", "import redis, redis.cluster", "import redisipc")
    )
    assert ours - redis < 0.4 * (redis - bare)


def test_no_value_is_public_by_accident() -> None:
    public: dict[str, Any] = {name: getattr(redisipc, name) for name in redisipc.__all__}
    assert all(callable(value) or name == "__version__" for name, value in public.items())
