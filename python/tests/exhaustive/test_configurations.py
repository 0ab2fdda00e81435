"""Small configurations, whole: every property holds in every state."""

from __future__ import annotations

import pytest

from .configurations import CONFIGURATIONS
from .properties import ALL
from .search import explore

QUICK = ("clock", "room", "gem", "consumer-deleted", "late-answer", "outlived", "unregistered", "twin")
"""Each takes under a second. All of them together are for ``make model``."""


@pytest.mark.parametrize("name", QUICK)
def test_every_property_holds_in_every_state(name: str) -> None:
    configuration = CONFIGURATIONS[name]
    result = explore(configuration)
    told = [line for found in result.found for line in (f"{found.name}: {found.text}", *found.story)]
    assert not result.broken, "\n".join(told)
    assert result.complete
    assert result.ends > 0
    assert {f"fault {fault.kind}" for fault in configuration.faults} <= result.reached.keys()


def test_configurations_are_about_what_there_is() -> None:
    assert all(name == configuration.name for name, configuration in CONFIGURATIONS.items())
    assert all(configuration.properties <= ALL for configuration in CONFIGURATIONS.values())
