"""The figures of all runs together, and whether they are good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..faults import FAULTS
from . import recovery, seen, used
from .result import Result
from .tables import table

ENOUGH = 10
"""Each kind of fault should have struck so often, over all runs."""


@dataclass
class Summary:
    """Adds up runs."""

    results: list[Result] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    ended_early: list[str] = field(default_factory=list)

    def add(self, result: Result, say: Callable[[str], None]) -> None:
        """Adds a run, and prints its result."""
        self.results.append(result)
        for violation in result.violations:
            say(f"   VIOLATION {violation.name}: {violation.about}{': ' * bool(violation.about)}{violation.text}")
        broken = sum(result.broken.values())
        if broken:
            say(f"   the rows are in {result.folder}")
        say(
            f"-- {result.server}, {result.site}: {result.requests} requests in {result.seconds:.0f} s, "
            f"{sum(result.struck.values())} faults, {broken} violations; "
            f"the harness stood still for {result.stalled:.1f} s"
        )

    def _sum(self, name: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for result in self.results:
            found.update(getattr(result, name))
        return found

    @property
    def requests(self) -> int:
        return sum(result.requests for result in self.results)

    @property
    def outcomes(self) -> Counter[str]:
        return self._sum("outcomes")

    @property
    def struck(self) -> Counter[str]:
        return self._sum("struck")

    @property
    def violations(self) -> Counter[str]:
        return self._sum("broken")

    @property
    def unproven(self) -> list[str]:
        return self.ended_early + [f"{one.server}: {text}" for one in self.results for text in one.unproven]

    @property
    def recoveries(self) -> list[recovery.Recovery]:
        return [each for result in self.results for each in result.recoveries]

    @property
    def seen(self) -> dict[str, seen.Seen]:
        found: dict[str, seen.Seen] = {}
        for result in self.results:
            for name, each in result.seen.items():
                found.setdefault(name, seen.Seen()).add(each)
        return found

    @property
    def courses(self) -> list[used.Course]:
        return [course for result in self.results for course in result.courses]

    @property
    def good(self) -> bool:
        return not self.violations and not self.unproven and all(course.flat for course in self.courses)

    def __str__(self) -> str:
        causes, unproven, struck = self._sum("second_runs"), self.unproven, self.struck
        excused = self._sum("excused")
        parts = [self._faults()]
        if self.recoveries:
            heading = "Recovery, seconds (median / worst)\n"
            parts.append(heading + table(recovery.HEADINGS, recovery.table(self.recoveries)))
            parts.append("What the user sees\n" + "\n".join(seen.lines(self.seen)))
        if self.courses:
            parts.append("Used\n" + table(used.HEADINGS, [course.row() for course in self.courses]))
        runs = sum(result.runs for result in self.results)
        parts.append("\n".join([
            f"{self.requests} requests, {runs} runs, {sum(struck.values())} faults of {len(struck)} kinds",
            f"  ended: {_counts(self.outcomes)}",
            f"  second runs: {sum(causes.values())}" + f" ({_counts(causes)})" * bool(causes),
            f"  excused, as the last look ran out of time: {_counts(excused, ' of ') or 'none'}",
            *(f"  left out: {text}" for text in self.left_out),
            *(f"  NOT PROVEN: {text}" for text in unproven),
            f"  violations: {sum(self.violations.values())}"
            + f" ({_counts(self.violations, ' of ')})" * bool(self.violations),
        ]))  # fmt: skip
        return "\n\n".join(parts)

    def _faults(self) -> str:
        struck = self.struck
        proofs: dict[str, str] = {}
        for result in self.results:
            proofs.update(result.proofs)
        rows = [
            [name, str(struck[name]), proofs.get(name, "")[:70], FAULTS[name].what] for name in FAULTS if struck[name]
        ]
        return table(["fault", "struck", "the last proof", "what it is"], rows)


def totals(results: Iterable[Result]) -> str:
    """The sum of earlier runs: by commit and by server, kinds that struck too rarely, and each violation."""
    found = list(results)
    summary = Summary(found)
    rows = []
    for what, by in (("commit", "commit"), ("server", "server"), ("site", "site")):
        for name in sorted({getattr(one, by) for one in found}):
            part = Summary([one for one in found if getattr(one, by) == name])
            rows.append([
                what, name or "?", str(len(part.results)), f"{sum(one.seconds for one in part.results) / 60:.0f}",
                str(part.requests), str(sum(part.struck.values())), str(len(part.struck)), str(len(part.unproven)),
                str(sum(part.violations.values())),
            ])  # fmt: skip
    parts = [str(summary)]
    for one in found:
        for violation in one.violations:
            parts.append("\n".join([
                f"VIOLATION {violation.name} ({one.server}, {one.site}, commit {one.commit}): {violation.text}",
                f"    {violation.about}", *(f"    {line}" for line in violation.story),
            ]))  # fmt: skip
    parts.append(table(["by", "", "runs", "minutes", "requests", "faults", "kinds", "not proven", "violations"], rows))
    rare = [f"{name} {summary.struck[name]}" for name in FAULTS if summary.struck[name] < ENOUGH]
    if rare:
        parts.append(f"Struck fewer than {ENOUGH} times: " + ", ".join(rare))
    return "\n\n".join(parts)


def _counts(counts: Counter[str], between: str = " ") -> str:
    return ", ".join(f"{count}{between}{name}" for name, count in counts.most_common())
