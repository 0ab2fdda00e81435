"""The events of a run, as they happen: front ends and reports use nothing else of the engine.

A run is ``RunStarted``, then for each scenario ``ScenarioStarted`` and ``ScenarioEnded`` (many side by side), then ``RunEnded``.
Everything is plain data, so that a report can be written from it without the run.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal


class Verdict(enum.Enum):
    """The result of a check, or of a scenario (then: the worst of its checks)."""

    PASS = "pass"
    KNOWN = "known"
    """Failed as the known-failures file expects."""
    NOT_APPLICABLE = "not-applicable"
    """Needs an optional feature that the testee does not claim, or another server version."""
    WARNING = "warning"
    """A SHOULD that does not hold."""
    INCONCLUSIVE = "inconclusive"
    """Could not be decided (a step before it failed, the testee crashed). Fails the run on a MUST."""
    FAIL = "fail"
    SUITE_ERROR = "suite-error"
    """The suite has a fault, or lost its Redis."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The most serious of them. PASS if there is none."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.PASS)


UNREACHED = "not reached: "
"""How the message of a check begins if something else kept it from being decided."""
MALFORMED = "entries-valid"
"""A check that appears only if it failed: every entry that the testee writes is valid."""
DIED = "process-runs"
"""A check that appears only if it failed: no process of the testee ends by itself, or breaks the testee protocol."""
FOREIGN = "commands-allowed"
"""A check that appears only if it failed: no endpoint sends a command that changes the server for all."""
STRANGER = "writers-known"
"""A check that appears only if it failed: every entry came over the tap of an endpoint, or from the suite."""
FAREWELL = "ends-well"
"""A check of a whole run that appears only if it failed: every process of the testee ends with exit status 0."""
WHOLE_RUN = "testee/shutdown"
"""The scenario of checks that belong to none: what the testee did at the end of a run."""
Level = Literal["MUST", "SHOULD", "MAY"]
Side = Literal["testee", "suite"]


@dataclass(frozen=True)
class Line:
    """One line of a scenario's transcript. ``at``: seconds since the scenario began."""

    at: float
    side: Side
    who: str
    """Endpoint or peer."""
    text: str
    """A command with its arguments, or what happened (``received``, ``killed``, ``note``)."""
    reply: str = ""
    kind: Literal["command", "event", "step"] = "command"
    fate: str = ""
    """The effect of a fault on it."""


@dataclass(frozen=True)
class CheckResult:
    """One named check of a scenario."""

    name: str
    text: str
    requirements: tuple[str, ...]
    level: Level
    """The strictest of its requirements, as SPEC.md has it."""
    verdict: Verdict
    message: str = ""
    expected: str = ""
    seen: str = ""
    file: str = ""
    line: int = 0
    wrong_line: int | None = None
    """Index of the first wrong line in the scenario's transcript, if one can be named."""
    by_timeout: bool = False
    """Failed because nothing came in time, not because something wrong came."""
    late: bool = False
    """Counts only for a version later than the frozen set."""
    known: str = ""
    """Why it may fail, from the known-failures file (``verdict`` KNOWN)."""


@dataclass(frozen=True)
class BudgetUse:
    """One wait: which budget, seconds allowed and used."""

    budget: str
    allowed: float
    used: float
    slack: float = 0.0
    """Seconds of ``allowed`` that are the machine's: beyond what the specification promises."""


@dataclass(frozen=True)
class ScenarioResult:
    """Everything about one scenario that ran (or was left out: ``verdict`` NOT_APPLICABLE and the reason)."""

    id: str
    title: str
    area: str
    profile: str
    verdict: Verdict
    seconds: float
    checks: tuple[CheckResult, ...] = ()
    transcript: tuple[Line, ...] = ()
    stderr: str = ""
    """The text that the testee's processes wrote to stderr while it ran."""
    reason: str = ""
    """Why it was left out or could not continue."""
    rerun: str = ""
    """The command that runs just this one again."""
    budgets: tuple[BudgetUse, ...] = ()


@dataclass(frozen=True)
class TesteeInfo:
    """The implementation under test, as it describes itself."""

    name: str
    version: str
    language: str
    spec: tuple[str, ...]
    profiles: tuple[str, ...]
    features: tuple[str, ...]
    command: tuple[str, ...]
    roles: tuple[str, ...] = ("requester", "responder")
    """Includes the profiles that follow from its profiles."""
    serial: bool = False
    """It does one thing at a time."""


@dataclass(frozen=True)
class ServerInfo:
    """The Redis that the scenarios ran on. ``kind``: URL, container, local or embedded."""

    brand: str
    version: str
    kind: str
    label: str


class Event:
    """Base of what the engine yields."""


@dataclass(frozen=True)
class RunStarted(Event):
    """``scenarios``: the ids of all that will run. ``left_out``: id to reason, of what was selected and cannot run here."""

    suite: str
    spec: str
    testee: TesteeInfo
    server: ServerInfo
    seed: int
    started: str
    """ISO 8601, UTC."""
    scenarios: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    time_scale: float = 1.0
    """The factor of all time limits."""
    no_timeouts: bool = False
    """Nothing failed for being late."""


@dataclass(frozen=True)
class ScenarioStarted(Event):
    """``id`` runs now: for the first time, or after ``ScenarioPutOff`` for the second."""

    id: str


@dataclass(frozen=True)
class ScenarioPutOff(Event):
    """The machine was too busy to judge ``id``: the scenario runs again after all others."""

    id: str


@dataclass(frozen=True)
class ScenarioEnded(Event):
    result: ScenarioResult


@dataclass(frozen=True)
class RunEnded(Event):
    """``interrupted``: by the user or by -x; what had not ended is not in the results."""

    seconds: float
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    """Sentences about the end for the user. They do not make the run fail."""


@dataclass(frozen=True)
class Scene:
    """One scene between these implementations; the first one asks, dies, or is replaced first."""

    who: tuple[str, ...]
    held: bool
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Square:
    """Scenes of two, by the first and the second: ``cells[first][second]``, None where the two were not tried."""

    title: str
    corner: str
    names: tuple[str, ...]
    cells: dict[str, dict[str, Scene | None]]


@dataclass(frozen=True)
class Interop:
    """``absent``: who did not take part, and why."""

    squares: tuple[Square, ...]
    groups: dict[str, tuple[Scene, ...]]
    absent: dict[str, str]
    held: int
    total: int
