"""The order of the tests."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files come first, so that none is left over at the end of a run that plays several side by side."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
