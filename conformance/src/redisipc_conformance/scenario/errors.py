"""Errors of a scenario file, and where they are."""

from __future__ import annotations


class ScenarioError(Exception):
    """A scenario that cannot be used. `line` counts from 1; 0 where no line can be named."""

    def __init__(self, file: str, line: int, problem: str, expected: str = "") -> None:
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {problem}" + (f"; expected {expected}" if expected else ""))
        self.file = file
        self.line = line
        self.problem = problem
        self.expected = expected
