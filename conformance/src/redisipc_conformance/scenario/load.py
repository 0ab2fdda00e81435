"""Scenario files to scenarios. Every mistake that can be found without running it is refused here, with its line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from . import grammar
from .errors import ScenarioError
from .model import Check, Scenario, Step
from .patterns import pattern
from .rows import read_rows
from .yaml import Lines, Path_, read

_NESTED = {"repeat": "do", "background": "do", "each-row": "", "together": ""}


def load_all(folder: Path) -> list[Scenario]:
    """All scenarios below `folder`, by id. Raises ScenarioError for the first bad file."""
    scenarios = [load_file(path, folder) for path in sorted(folder.rglob("*.yaml"))]
    seen: dict[str, Scenario] = {}
    for scenario in scenarios:
        for id in (scenario.id, *scenario.formerly):
            if id in seen:
                raise ScenarioError(scenario.file, 1, f"the id {id} is taken by {seen[id].file}", "an id of its own")
            seen[id] = scenario
    return sorted(scenarios, key=lambda scenario: scenario.id)


def load_file(path: Path, folder: Path | None = None) -> Scenario:
    """One scenario. With `folder`, its id must be its place in there."""
    name = _shown(path)
    document, lines = read(path, name)
    grammar.check(document, name, lines)
    _patterns(document, (), name, lines)
    scenario = _scenario(document, lines, path, name)
    if folder is not None and path.relative_to(folder).with_suffix("").as_posix() != scenario.id:
        raise ScenarioError(
            name, lines.of(("id",)), f"the id is {scenario.id}", path.relative_to(folder).with_suffix("").as_posix()
        )
    return scenario


def _patterns(value: Any, path: Path_, file: str, lines: Lines) -> None:
    """Raises ScenarioError for an invalid regular expression. One that contains a name is checked later."""
    if isinstance(value, list):
        for at, each in enumerate(value):
            _patterns(each, (*path, at), file, lines)
    elif isinstance(value, dict):
        for key, each in value.items():
            _patterns(each, (*path, key), file, lines)
            if key == "$match" and "${" not in str(each):
                try:
                    pattern(str(each))
                except ValueError as error:
                    raise ScenarioError(file, lines.of((*path, key)), str(error)) from error


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _scenario(document: dict[str, Any], lines: Lines, path: Path, name: str) -> Scenario:
    common = tuple(document.get("requirements", ()))
    checks = tuple(
        _check(check, said, common, lines.of(("checks", check))) for check, said in document["checks"].items()
    )
    steps = _steps(document["steps"], ("steps",), name, lines)
    scenario = Scenario(
        id=document["id"],
        title=document["title"],
        profile=document.get("profile", "base"),
        checks=checks,
        steps=steps,
        file=name,
        about=document.get("about", ""),
        needs=frozenset(document.get("needs", ())),
        features=tuple(document.get("features", ())),
        roles=tuple(document.get("roles", ())),
        thorough=document.get("thorough", False),
        server=document.get("server", ""),
        formerly=tuple(document.get("formerly", ())),
        requirements=common,
        rows=read_rows(document.get("rows"), name, lines, path),
        lines=lines,
        text=path.read_text(encoding="utf-8"),
    )
    _coherent(scenario, document)
    return scenario


def _check(name: str, said: Any, common: tuple[str, ...], line: int) -> Check:
    if isinstance(said, str):
        return Check(name, said, common, line)
    return Check(name, said["text"], tuple(said.get("requirements", common)), line, tuple(said.get("formerly", ())))


def _steps(written: list[Any], path: Path_, file: str, lines: Lines) -> tuple[Step, ...]:
    return tuple(_step(step, (*path, at), file, lines) for at, step in enumerate(written))


def _step(written: dict[str, Any], path: Path_, file: str, lines: Lines) -> Step:
    words = [key for key in written if key not in grammar.MODIFIERS]
    if len(words) != 1:
        raise grammar.no_word(written, file, lines.of(path))
    word = words[0]
    arguments = written[word]
    inside = (*path, word)
    blocks: tuple[tuple[Step, ...], ...] = ()
    if word == "together":
        blocks = tuple(_steps(side, (*inside, at), file, lines) for at, side in enumerate(arguments))
    elif word in _NESTED:
        key = _NESTED[word]
        blocks = (_steps(arguments[key] if key else arguments, (*inside, key) if key else inside, file, lines),)
    checks = written.get("check", ())
    return Step(
        word=word,
        arguments=arguments,
        line=lines.of(inside),
        bind=written.get("as"),
        checks=(checks,) if isinstance(checks, str) else tuple(checks),
        within=written.get("within"),
        now=bool(written.get("now", False)),
        throughout=written.get("throughout"),
        note=written.get("note", ""),
        has_reply="reply" in written,
        reply=written.get("reply"),
        blocks=blocks,
    )


def _coherent(scenario: Scenario, document: dict[str, Any]) -> None:
    """Checks the rules that the grammar cannot express."""
    declared = {check.name for check in scenario.checks}
    steps = list(scenario.walk())
    named = {name for step in steps for name in step.checks}
    for step in steps:
        for name in step.checks:
            if name not in declared and not _from_template(name, declared):
                raise ScenarioError(
                    scenario.file,
                    step.line,
                    f"the check {name!r} is not declared",
                    f"one of {', '.join(sorted(declared))}",
                )
        inside = next((inner for inner in step.walk() if inner.checks), None) if step.word == "background" else None
        if inside is not None:
            problem = f"the check {inside.checks[0]!r} is decided in the background, as often as it happens to be"
            raise ScenarioError(scenario.file, inside.line, problem, "a step in the foreground")
        if step.word == "each-row" and not scenario.rows:
            raise ScenarioError(scenario.file, step.line, "there are no rows", "rows: in the head")
    for check in scenario.checks:
        if check.name not in named:
            raise ScenarioError(
                scenario.file, check.line, f"no step decides the check {check.name!r}", "check: at a step"
            )
        if "${row." in check.name and not scenario.rows:
            raise ScenarioError(scenario.file, check.line, f"{check.name!r} names a row", "rows: in the head")
    _names_known(scenario, document)


def _from_template(name: str, declared: set[str]) -> bool:
    templates = (re.escape(each).replace(r"\$\{row\.name\}", "[a-z0-9-]+") for each in declared if "${" in each)
    return any(re.fullmatch(template, name) for template in templates)


_REFERS: dict[str, tuple[str, ...]] = {
    "send": ("from",), "trigger": ("from",), "fulfill": ("request",), "reject": ("request",), "raise": ("request",),
    "block": ("request",), "postpone": ("request",),
    "received": ("by", "of"), "outcome": ("of",), "cancelled": ("by", "request"), "errors": ("by",), "done": ("of",),
    "add": ("from", "answer", "taken_by"), "read": ("peer", "of"), "handed": ("peer", "of"), "settle": ("peer", "entry"),
    "claim": ("peer", "entry"), "give-back": ("peer", "entry"), "hand": ("entry", "to"), "entry": ("of", "answer_to"),
    "pending": ("entry", "lacks"), "stream": ("has", "lacks"), "list": ("of",), "commands": ("since",), "struck": ("fault",),
}  # fmt: skip
"""Where an argument is the name of something that an earlier step made."""


def _names_known(scenario: Scenario, document: dict[str, Any]) -> None:
    known = {"request"}
    for step in scenario.walk():
        known |= {name for name in (step.bind, *_made_by(step)) if name}
    if any("${" in name for name in known):
        return
    for step in scenario.walk():
        arguments = step.arguments if isinstance(step.arguments, dict) else {}
        for key in _REFERS.get(step.word, ()):
            name = arguments.get(key)
            if isinstance(name, str) and "${" not in name and name not in known:
                raise ScenarioError(
                    scenario.file,
                    step.line,
                    f"nothing is called {name!r} ({step.word}: {key})",
                    f"one of {', '.join(sorted(known))}",
                )


def _numbered(name: str, size: Any) -> list[str]:
    """The names of many objects. Their number may be a name itself."""
    return [name, *(f"{name}{number}" for number in range(size if isinstance(size, int) else 1000))]


def _made_by(step: Step) -> list[str]:
    """The names that a step makes without `as`."""
    arguments = step.arguments
    if step.word in ("connect", "mark", "peer"):
        if isinstance(arguments, str):
            return [arguments]
        return [str(arguments.get("endpoint") or arguments.get("name"))]
    if step.word == "crowd":
        return _numbered(str(arguments["name"]), arguments["size"])
    if step.word == "add" and step.bind and "times" in arguments:
        return _numbered(step.bind, arguments["times"])
    if step.word == "set":
        return list(arguments)
    if step.word == "repeat":
        return [arguments["as"]] if "as" in arguments else []
    return []
