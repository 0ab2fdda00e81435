"""Names of a face that are imported when first used: who takes one runtime does not pay for the other, nor for channels."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any


def lazily(face: dict[str, Any], later: dict[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` for a face.

    ``face`` is its ``globals()``, ``later`` says in which module each name is. A type checker reads the same names from
    imports under ``TYPE_CHECKING``.
    """

    def get(name: str) -> Any:
        if name not in later:
            # With the name and the module, Python suggests what was meant.
            module = import_module(face["__name__"])
            raise AttributeError(f"module {face['__name__']!r} has no attribute {name!r}", name=name, obj=module)
        value = face[name] = getattr(import_module(later[name]), name)
        return value

    def listed() -> list[str]:
        loaded = {name for name, value in face.items() if name.startswith("_") or isinstance(value, ModuleType)}
        return sorted(loaded | set(face["__all__"]))

    return get, listed
