"""Decides which scenarios a testee gets: those for its claims, if the server fits."""

from __future__ import annotations

from ..results import ServerInfo
from ..scenario.demands import at_once, roles_of
from ..scenario.model import Scenario
from ..testee.claims import Claims
from ..versions import version_holds


def why_not(scenario: Scenario, claims: Claims, server: ServerInfo) -> str:
    """Why the scenario does not apply, in a sentence. Empty if it does."""
    if scenario.profile not in claims.profiles:
        return f"the testee does not claim the profile {scenario.profile}"
    features = [feature for feature in scenario.features if feature not in claims.features]
    if features:
        return f"the testee does not claim the feature {', '.join(features)}"
    roles = sorted(roles_of(scenario) - claims.roles)
    if roles:
        return f"the testee does not claim the role {', '.join(roles)}"
    together = at_once(scenario) if claims.serial else ""
    if together:
        return f"the testee is serial, and this needs {together}"
    if scenario.server and not version_holds(scenario.server, server.version):
        return f"it needs a server {scenario.server}, this is {server.brand} {server.version}"
    return ""
