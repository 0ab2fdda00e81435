"""The demands that a scenario implies: the roles that its steps play, and whether an endpoint does two things at once.

A serial testee does one thing at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .model import Scenario, Step

_SENDS = frozenset({"send", "trigger"})
_DECIDES = frozenset({"fulfill", "reject", "raise", "ignore"})


def roles_of(scenario: Scenario) -> frozenset[str]:
    """The roles that the testee plays in it: those of its head, else those that its steps need."""
    if scenario.roles:
        return frozenset(scenario.roles)
    if scenario.profile == "ask":
        return frozenset({"caller"})
    found = set()
    for step in scenario.walk():
        if step.word in _SENDS:
            found.add("requester")
        elif _answers(step):
            found.add("responder")
    return frozenset(found)


def at_once(scenario: Scenario) -> str:
    """The work that an endpoint must do beside other work, in words. Empty if one thing at a time is enough."""
    if "parallel" in scenario.needs:
        return "an endpoint that does several things at once"
    walk = _Walk()
    walk.steps(scenario.steps)
    return walk.found


def _answers(step: Step) -> bool:
    """Whether it is a responder's: a handler that starts, is decided or is there, or an answer that is still due."""
    if step.word in _DECIDES or _starts(step):
        return True
    if not isinstance(step.arguments, dict):
        return False
    expected = step.word == "entry" and "answer_to" in step.arguments and step.arguments.get("count") != 0
    has_events = step.word == "connect" and bool(step.arguments.get("events"))
    return expected or has_events or (step.word == "serve" and "endpoint" in step.arguments)


def _starts(step: Step) -> bool:
    """Whether it waits for a handler to be started."""
    return step.word == "received" and not step.arguments.get("none") and "count" not in step.arguments


class _Walk:
    """Plays a scenario on paper. What is open: sends without an outcome, handlers that nobody has decided."""

    def __init__(self) -> None:
        self.sends: list[tuple[str, str]] = []
        self.handlers: list[tuple[str, str]] = []
        self.found = ""

    def steps(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.word == "together":
                self._is("steps that are played side by side")
            # Played twice: things that one turn leaves open are still open in the next.
            for _ in range(2 if step.word in ("repeat", "each-row") else 1):
                for block in step.blocks:
                    self.steps(block)
            self._of_step(step)

    def _is(self, what: str) -> None:
        self.found = self.found or what

    def _of_step(self, step: Step) -> None:
        arguments: dict[str, Any] = step.arguments if isinstance(step.arguments, dict) else {}
        name = str(step.bind)
        if step.word in _SENDS:
            self._free(str(arguments["from"]), "sends")
            self.sends.append((name, str(arguments["from"])))
        elif _starts(step):
            self._free(str(arguments["by"]), "starts a handler")
            self.handlers.append((name, str(arguments["by"])))
        elif step.word in _DECIDES and not arguments.get("refused"):
            _close(self.handlers, str(arguments.get("request", step.arguments)))
        elif step.word == "outcome" and not arguments.get("none"):
            _close(self.sends, str(arguments["of"]))
        elif step.word == "disconnect":
            self._free(str(arguments.get("endpoint", step.arguments)), "disconnects")
        elif step.word == "fence":
            self._runs_nothing(str(arguments.get("endpoint", step.arguments)))
        elif step.word == "cancel":
            self._is("an endpoint that must cancel a send while it waits for it")
        elif step.word == "connect":
            self._concurrent(arguments)

    def _concurrent(self, arguments: dict[str, Any]) -> None:
        concurrency = arguments.get("options", {}).get("concurrency", 1)
        if not isinstance(concurrency, int) or concurrency > 1:
            self._is(f"an endpoint that runs {concurrency} handlers at once")

    def _free(self, endpoint: str, what: str) -> None:
        self._runs_nothing(endpoint, what)
        if any(each == endpoint for _, each in self.sends):
            self._is(f"an endpoint that {what} while a send of its own waits")

    def _runs_nothing(self, endpoint: str, what: str = "reads") -> None:
        if any(each == endpoint for _, each in self.handlers):
            self._is(f"an endpoint that {what} while a handler runs")


def _close(pairs: list[tuple[str, str]], name: str) -> None:
    at = next((at for at, (each, _) in enumerate(pairs) if each == name), None)
    if at is not None:
        del pairs[at]
