"""How many schedules an exploration stands for: every way from the first state to an end is one."""

from __future__ import annotations


class Cycle(Exception):
    """A state leads back to itself: then there is no number of ways."""


class Schedules:
    """The graph of states by number, in the order in which they were found: 0 is the first one."""

    def __init__(self) -> None:
        self._next: list[tuple[int, ...]] = []
        self._ends: list[int] = []

    def add(self) -> int:
        """A state that is new, and its number."""
        self._next.append(())
        self._ends.append(0)
        return len(self._next) - 1

    def moves(self, state: int, leads_to: list[int], ends: int) -> None:
        """Where the moves of a state lead, and how many of them are the last ones of a schedule."""
        self._next[state] = tuple(leads_to)
        self._ends[state] = ends

    def count(self) -> int:
        """Ways from the first state to an end; raises ``Cycle``."""
        ways = [-1] * len(self._next)
        entered = bytearray(len(self._next))
        stack = [0]
        while stack:
            state = stack[-1]
            if ways[state] >= 0:
                stack.pop()
                continue
            ahead = [later for later in self._next[state] if ways[later] < 0]
            if not ahead:
                stack.pop()
                ways[state] = self._ends[state] + sum([ways[later] for later in self._next[state]])
                continue
            if entered[state]:
                raise Cycle(f"state {ahead[0]} is reached from itself")
            entered[state] = 1
            stack.extend(ahead)
        return ways[0]
