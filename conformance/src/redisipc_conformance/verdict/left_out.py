"""Scenarios that were selected but do not run: they do not apply to the testee, or they cannot run here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..requirements import Requirements
from ..results import CheckResult, RunStarted, ScenarioResult, Verdict
from ..scenario.corpus import named_checks
from ..scenario.model import Scenario
from .applies import claims_of, why_not


def cannot_run(started: RunStarted, scenarios: Sequence[Scenario]) -> dict[str, str]:
    """Id to reason, of the scenarios that the testee claims and the server's version fits, but this server cannot run.

    Each is a hole in the run's evidence; a scenario that is not claimed leaves no hole.
    """
    claims = claims_of(started.testee)
    return {
        scenario.id: started.left_out[scenario.id]
        for scenario in scenarios
        if scenario.id in started.left_out and not why_not(scenario, claims, started.server)
    }


def with_checks(result: ScenarioResult, scenario: Scenario, requirements: Requirements) -> ScenarioResult:
    """A scenario that was not applicable, with its checks named: a report shows what was not asked."""
    checks = (
        CheckResult(
            name=named.id.rsplit("/", 1)[1],
            text=named.check.text,
            requirements=named.check.requirements,
            level=requirements.level(named.check.requirements),
            verdict=Verdict.NOT_APPLICABLE,
            message=result.reason,
        )
        for named in named_checks(scenario)
    )
    return replace(result, checks=tuple(checks))
