"""The step words and the functions behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ..context.scenario_context import ScenarioContext
    from ..scenario.model import Step

Action: TypeAlias = "Callable[[ScenarioContext, Step], Awaitable[Any]]"
WORDS: dict[str, Action] = {}


def word(name: str) -> Callable[[Action], Action]:
    """Registers the function that plays this step word. What it returns is what `as` names."""

    def register(action: Action) -> Action:
        if name in WORDS:
            raise ValueError(f"two functions play the step {name}")
        WORDS[name] = action
        return action

    return register
