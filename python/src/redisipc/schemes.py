"""URL schemes besides those of Redis, and who serves them. Each module is imported when such a URL is used, and not before."""

from __future__ import annotations

from importlib import import_module
from typing import Any

SERVED_BY = {"memory": ("redisipc.testing.hub", "hub_at")}
"""For each scheme the module and its function. The function takes the URL, and returns the maker of connections."""


def serves(url: str) -> bool:
    """Whether something other than Redis serves this URL."""
    return url.partition("://")[0] in SERVED_BY


def hub_at(url: str) -> Any:
    """The maker of connections for this URL. It has the methods of ``redisipc.testing.Hub`` for the library."""
    module, function = SERVED_BY[url.partition("://")[0]]
    return getattr(import_module(module), function)(url)
