"""A run that never happened, as the engine would tell it: every verdict, transcripts of both sides, any number of rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from redisipc_conformance.requirements import Requirement
from redisipc_conformance.results import (
    BudgetUse,
    CheckResult,
    Event,
    Level,
    Line,
    RunEnded,
    RunStarted,
    ScenarioEnded,
    ScenarioResult,
    ScenarioStarted,
    ServerInfo,
    TesteeInfo,
    Verdict,
    worst,
)
from redisipc_conformance.verdict.run import Report, Run

AREAS = {
    "entry": "base",
    "content": "base",
    "routing": "base",
    "requester": "base",
    "responder": "base",
    "handover": "group",
    "reclaim": "group",
    "channel": "channel",
    "recovery": "resilient",
    "hostile": "resilient",
}
LEVELS: tuple[Level, ...] = ("MUST", "MUST", "MUST", "SHOULD", "MAY")
SENTENCES = (
    "The six fields MUST be written in that order.",
    "A response MUST be written, and the request acknowledged and deleted, in one `MULTI`.",
    "An instance that leaves SHOULD give back every request that it has not started, so that a sibling can start it at once.",
    "The `content` of a request that is no string MUST be its JSON text, and a string whose raw text could be taken for JSON "
    "MUST be written as its JSON text, too, so that every reader gets back the value that was sent.",
    "A member MUST keep the idle time of what it runs under 10,000 ms.",
)
TESTEE = TesteeInfo(
    name="acme-ipc",
    version="0.4.1",
    language="rust",
    spec=("1.0",),
    profiles=("base", "group", "resilient"),
    features=("cancel", "wakeup"),
    command=("target/release/testee", "--runtime", "tokio"),
)
SERVER = ServerInfo("Redis", "7.0.15", "container", "redis:7")


def requirements(number: int = 500) -> list[Requirement]:
    """That many, spread over the areas; every fiftieth is not testable."""
    areas = list(AREAS)
    found = []
    for index in range(number):
        area = areas[index * len(areas) // number]
        found.append(
            Requirement(
                id=f"RIPC-{area.upper()}-{index + 1}",
                level=LEVELS[index % len(LEVELS)],
                role="sender",
                profile=AREAS[area],
                section=f"{areas.index(area) + 4} {area.capitalize()}",
                text=SENTENCES[index % len(SENTENCES)],
                testable=index % 50 != 49,
                reason="It binds the network, which no testee can show." if index % 50 == 49 else "",
            )
        )
    return found


def transcript(chance: random.Random, lines: int = 60) -> tuple[Line, ...]:
    """Commands with replies of the testee and of the suite's peer, events between them, one fault."""
    at, written = 0.0, []
    for number in range(lines):
        at += chance.random() / 50
        if number % 7 == 0:
            written.append(Line(at, "suite", "b", f"add: {{from: b, to: a, content: {number}}}", kind="step"))
        elif number % 5 == 0:
            id = f"{chance.getrandbits(84):021x}"
            command = (
                f"XADD ripc:3f2a * id {id} instance_id 9f31aa status pending content "
                f'{{"n":{number},"text":"{"long " * 6}"}} source_group b destination_group a'
            )
            written.append(Line(at, "suite", "b", command, f"1764029000{number:03}-0"))
        elif number % 11 == 0:
            written.append(Line(at, "testee", "a", f"received r{number} from b", kind="event"))
        elif number == 33:
            written.append(Line(at, "testee", "a", "XACK ripc:3f2a a 1764029000020-0", "", fate="reply dropped, cut"))
        else:
            command = f"XREADGROUP GROUP a dispatcher_77c0de_0 COUNT 10 BLOCK 1000 STREAMS ripc:3f2a > (look {number})"
            written.append(
                Line(at, "testee", "a", command, "nil" if number % 2 else "[[ripc:3f2a, [[1764029000020-0, [...]]]]]")
            )
    return tuple(written)


def check(name: str, requirement: Requirement, verdict: Verdict, chance: random.Random, lines: int) -> CheckResult:
    """One check with the text that such a verdict has."""
    went_wrong = verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)
    return CheckResult(
        name=name,
        text=f"The request is what {requirement.id} says",
        requirements=(requirement.id,),
        level=requirement.level,
        verdict=verdict,
        message="the entry has its fields in another order" if went_wrong else "",
        expected="[id, instance_id, status, content, source_group, destination_group]" if went_wrong else "",
        seen="[id, status, instance_id, content, source_group, destination_group]" if went_wrong else "",
        file="conformance/scenarios/entry/six-fields.yaml" if went_wrong else "",
        line=21 if went_wrong else 0,
        wrong_line=chance.randrange(lines // 3, lines) if went_wrong else None,
        by_timeout=went_wrong and chance.random() < 0.2,
        known="The port writes it so until 0.5, see its issue 12." if verdict is Verdict.KNOWN else "",
    )


def scenarios(seed: int, catalogue: list[Requirement], bad: float) -> Iterator[ScenarioResult]:
    """Two requirements a scenario. ``bad``: the share of checks that do not pass."""
    chance = random.Random(seed)
    rest = [
        verdict for verdict in Verdict if verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.SUITE_ERROR)
    ]
    testable = [requirement for requirement in catalogue if requirement.testable]
    for index in range(0, len(testable), 2):
        pair = testable[index : index + 2]
        area = pair[0].section.split()[1].lower()
        claimed = AREAS[area] in TESTEE.profiles
        lines = transcript(chance)
        checks = []
        for number, requirement in enumerate(pair):
            verdict = chance.choice(rest) if chance.random() < bad else Verdict.PASS
            if verdict is Verdict.FAIL and requirement.level == "SHOULD":
                verdict = Verdict.WARNING
            verdict = verdict if claimed else Verdict.NOT_APPLICABLE
            checks.append(check(f"check-{number}", requirement, verdict, chance, len(lines)))
        id = f"{area}/scenario-{index // 2}"
        yield ScenarioResult(
            id=id,
            title=f"Scenario {index // 2} of {area}",
            area=area,
            profile=AREAS[area],
            verdict=worst(each.verdict for each in checks),
            seconds=chance.random() * 3,
            checks=tuple(checks),
            transcript=lines,
            stderr="WARN acme_ipc::reader: connection lost, again in 100 ms\n" * chance.randrange(4),
            reason="" if claimed else f"the testee does not claim the profile {AREAS[area]}",
            rerun=f"redisipc-conformance run {id} --seed {seed} -- {' '.join(TESTEE.command)}",
            budgets=(BudgetUse("settle", 2.0, chance.random() * 1.2), BudgetUse("reclaim", 15.0, 4.2)),
        )


def events(
    seed: int = 7,
    rows: int = 500,
    bad: float = 0.08,
    *,
    testee: TesteeInfo = TESTEE,
    server: ServerInfo = SERVER,
    left_out: dict[str, str] | None = None,
) -> Iterator[Event]:
    """The whole run."""
    results = list(scenarios(seed, requirements(rows), bad))
    ids = tuple(result.id for result in results)
    yield RunStarted("0.1.0", "1.0", testee, server, seed, "2025-11-25T08:00:00Z", ids, left_out or {})
    for result in results:
        yield ScenarioStarted(result.id)
        yield ScenarioEnded(result)
    yield RunEnded(41.7)


def run(seed: int = 7, rows: int = 500, bad: float = 0.08, **about: object) -> Run:
    """The same, recorded."""
    told = events(seed, rows, bad, **about)  # type: ignore[arg-type]
    started = next(told)
    assert isinstance(started, RunStarted)
    recorded = Run(started, command_line=("redisipc-conformance", "run", "--", *started.testee.command))
    for event in told:
        recorded.record(event)
    return recorded


def report(rows: int = 500, runs: int = 1, bad: float = 0.08) -> Report:
    """Several implementations and servers: the first is this run, the others are like it."""
    made = [run(7, rows, bad)]
    for number in range(1, runs):
        testee = replace(TESTEE, name=("acme-ipc", "redisipc (asyncio)", "ripc.js")[number % 3], language="python")
        server = ServerInfo(("Redis", "Valkey")[number % 2], ("8.0.2", "9.1")[number % 2], "local", "")
        made.append(run(7 + number, rows, bad / (1 + 3 * number), testee=testee, server=server))
    return Report(made, requirements(rows))
