"""The known-failures file: the checks that an implementation may fail, and why. Each line is tested for whether it is
still true.

An entry excuses a failure; it never hides one. The run fails if an entry passes (stale), names nothing (unknown), or
fails with another message.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ..files import schema_file
from ..results import CheckResult, ScenarioResult, ServerInfo, Verdict
from ..versions import version_holds

EXCUSABLE = frozenset({Verdict.FAIL, Verdict.WARNING, Verdict.INCONCLUSIVE})
MOST, DEEPEST = 100_000, 10
"""The most values and levels of a file."""
UNREASONED = "TODO: say why"
"""The reason of an entry that was written by ``--write-known-failures`` and that nobody has reviewed."""


Ran = tuple[ServerInfo, list[ScenarioResult]]
"""A server, and what `Judge.judged` gave there."""


class KnownFailuresError(Exception):
    """The file cannot be used; the message says where and what was expected."""


@dataclass(frozen=True)
class KnownFailure:
    """One entry. ``id`` is a scenario, or scenario/check."""

    id: str
    reason: str
    message: str = ""
    redis: str = ""
    brand: str = ""
    spec: str = ""
    line: int = 0
    last_line: int = 0
    """The entry's lines in the file, counted from 1."""

    @property
    def scenario(self) -> str:
        return "/".join(self.id.split("/")[:2])

    def covers(self, scenario: str, check: str) -> bool:
        return self.id in (scenario, f"{scenario}/{check}")

    def applies(self, server: ServerInfo) -> bool:
        """Whether its ``when`` holds for this server."""
        brand_fits = not self.brand or self.brand.lower() == server.brand.lower()
        return brand_fits and version_holds(self.redis, server.version)

    def says(self, message: str) -> bool:
        return message.startswith(self.message)


@dataclass(frozen=True)
class KnownFailures:
    """All entries of one file."""

    path: str = ""
    entries: tuple[KnownFailure, ...] = field(default=())

    @classmethod
    def load(cls, path: Path) -> KnownFailures:
        """Reads and checks the file. Raises KnownFailuresError."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise KnownFailuresError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise KnownFailuresError(f"{path}: expected UTF-8: {error}") from error
        return cls(str(path), tuple(parse(text, str(path))))

    def excuse(self, scenario: str, check: CheckResult, server: ServerInfo) -> str | None:
        """Why this check of the scenario may fail on this server; None where no entry excuses what it says."""
        if check.verdict not in EXCUSABLE:
            return None
        for entry in self.entries:
            if entry.covers(scenario, check.name) and entry.applies(server) and entry.says(check.message):
                return entry.reason + (f" (specification: {entry.spec})" if entry.spec else "")
        return None

    def names(self, scenario: str, check: str) -> bool:
        """Whether an entry is for this check. ``check`` is its whole id."""
        return any(entry.id in (scenario, check) for entry in self.entries)

    def excuses(self, result: ScenarioResult, server: ServerInfo) -> bool:
        """Whether it may fail outside its checks: only an entry for the whole scenario can mean that."""
        whole = [entry for entry in self.entries if entry.id == result.id and entry.applies(server)]
        return result.verdict in EXCUSABLE and any(entry.says(result.reason) for entry in whole)

    def problems(
        self,
        results: Iterable[ScenarioResult],
        server: ServerInfo,
        declared: Collection[str],
        renamed: Mapping[str, str] | None = None,
    ) -> list[str]:
        """The errors of the file after a run, a sentence each. ``results`` are those of `Judge.judged`.

        ``declared``: every scenario and scenario/check that the suite has; ``renamed``: former id to present id.
        """
        ran = {result.id: result for result in results}
        found = []
        for entry in self.entries:
            where = f"{self.path}:{entry.line}: {entry.id}"
            if entry.id not in declared:
                now = (renamed or {}).get(entry.id)
                found.append(
                    f"{where} is unknown" + (f": it is {now} now" if now else ": there is no such scenario or check")
                )
            elif entry.applies(server) and entry.scenario in ran:
                problem = _problem(entry, ran[entry.scenario])
                if problem:
                    found.append(f"{where} {problem}")
        return found

    def stale(self, runs: Sequence[Ran], declared: Collection[str]) -> list[KnownFailure]:
        """Those that name nothing, or excused nothing in the runs where they applied."""
        return [entry for entry in self.entries if entry.id not in declared or _stale(entry, runs)]

    def unreasoned(self) -> list[str]:
        """The ids of entries that have no reason yet."""
        return [entry.id for entry in self.entries if entry.reason.startswith("TODO")]


def _problem(entry: KnownFailure, result: ScenarioResult) -> str:
    checks = [check for check in result.checks if entry.covers(result.id, check.name)]
    other = next((check for check in checks if check.verdict in EXCUSABLE), None)
    if other:
        return f"fails in another way than known: {other.message!r} does not begin with {entry.message!r}"
    if result.verdict is Verdict.SUITE_ERROR or any(check.verdict is Verdict.KNOWN for check in checks):
        return ""
    if entry.id == result.id and result.verdict is not Verdict.PASS:
        return "" if result.verdict in (Verdict.KNOWN, Verdict.NOT_APPLICABLE) else "fails in another way than known"
    if checks and all(check.verdict is Verdict.PASS for check in checks):
        return "passes: the entry is stale, delete it"
    return ""


def _stale(entry: KnownFailure, runs: Sequence[Ran]) -> bool:
    """Whether it excused nothing in the runs where it applied.

    If it applied nowhere, it stays, since these runs prove nothing.
    """
    looked = False
    for server, results in runs:
        for result in results:
            if result.id != entry.scenario or not entry.applies(server):
                continue
            looked = looked or result.verdict is not Verdict.NOT_APPLICABLE
            checks = [check for check in result.checks if entry.covers(result.id, check.name)]
            if any(check.verdict is Verdict.KNOWN for check in checks) or (
                entry.id == result.id and result.verdict is Verdict.KNOWN
            ):
                return False
    return looked


def parse(text: str, path: str) -> list[KnownFailure]:
    """The entries of such a file's text. Raises KnownFailuresError."""
    try:
        data: Any = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise KnownFailuresError(f"{path}:{line}: not YAML: {error.problem}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise KnownFailuresError(f"{path}: not YAML: {str(error).splitlines()[0]}") from error
    if _too_much(data):
        raise KnownFailuresError(f"{path}: there is too much in it: {MOST:,} values and {DEEPEST} levels are the most")
    schema = json.loads(schema_file("files/known-failures").read_text(encoding="utf-8"))
    problems = jsonschema.Draft202012Validator(schema).iter_errors(data)
    first = min(problems, key=lambda problem: list(map(str, problem.absolute_path)), default=None)
    if first is not None:
        raise KnownFailuresError(f"{path}:{_line_of(data, list(first.absolute_path))}: {_sentence(first)}")
    items = data["known_failures"]
    starts = [items.lc.item(index)[0] + 1 for index in range(len(items))]
    return [_entry(item, start, text) for item, start in zip(items, starts, strict=True)]


def _too_much(data: Any) -> bool:
    """Whether it has too many values, for example because it contains itself, or repeats one value by aliases."""
    work: list[tuple[Any, int]] = [(data, 0)]
    seen = 0
    while work:
        value, depth = work.pop()
        seen += 1
        if seen > MOST or depth > DEEPEST:
            return True
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        work += [(each, depth + 1) for each in parts]
    return False


def _entry(item: Any, start: int, text: str) -> KnownFailure:
    when = item.get("when") or {}
    return KnownFailure(
        id=str(item["id"]),
        reason=str(item["reason"]),
        message=str(item.get("message", "")),
        redis=str(when.get("redis", "")),
        brand=str(when.get("brand", "")),
        spec=str(item.get("spec", "")),
        line=start,
        last_line=_last_line(text.splitlines(), start),
    )


def _last_line(lines: list[str], start: int) -> int:
    """The last line of the list item that begins at ``start`` (both from 1): what is indented deeper than its dash."""
    dash = len(lines[start - 1]) - len(lines[start - 1].lstrip())
    last = start
    for number in range(start + 1, len(lines) + 1):
        line = lines[number - 1]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(line) - len(line.lstrip()) <= dash:
            break
        last = number
    return last


def _line_of(data: Any, path: list[str | int]) -> int:
    line = 0
    for step in path:
        try:
            line = data.lc.item(step)[0] if isinstance(step, int) else data.lc.key(step)[0]
            data = data[step]
        except (AttributeError, KeyError, TypeError):
            break
    return line + 1


def _sentence(problem: jsonschema.ValidationError) -> str:
    where = ".".join(str(step) for step in problem.absolute_path)
    return f"{where or 'the file'}: {problem.message}"
