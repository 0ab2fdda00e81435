"""The messages to the user about each kind of fault: how many an endpoint gives, and their texts."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field

from ..faults import FAULTS
from ..judge.record import Record

AFTER = 2.0
"""A message belongs to a fault until so many seconds after its end."""
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""The kinds that are lines of the log. ``on_error`` gets the others."""
OWN = "handler"
"""The kind of a report on an exception of a handler of the harness, which no fault causes."""
_GENERAL = (
    (re.compile(r"<[^<>\s]*:[^<>\s]*:[0-9a-f-]+> "), ""),
    (re.compile(r"\d{13}-\d+"), "ID"),
    (re.compile(r"\b[0-9a-f]{21}\b"), "REQUEST"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+"), "HOST:PORT"),
    (re.compile(r"_[0-9a-f]{6}_"), "_INSTANCE_"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "N s"),
)


@dataclass
class Seen:
    """The messages about all faults of one kind. ``most``: the greatest number of messages of one endpoint about one fault.

    ``logged`` counts the lines of the log that are warnings or worse.
    """

    times: int = 0
    endpoints: int = 0
    told: int = 0
    most: int = 0
    logged: int = 0
    texts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Seen) -> None:
        """Adds the messages about the same kind in another run."""
        self.times += other.times
        self.endpoints += other.endpoints
        self.told += other.told
        self.most = max(self.most, other.most)
        self.logged += other.logged
        self.texts.update(other.texts)


def general(text: str) -> str:
    """The text without the parts that differ each time."""
    for pattern, word in _GENERAL:
        text = pattern.sub(word, text)
    return text[:220]


def gather(record: Record, into: dict[str, Seen]) -> None:
    """Adds the messages of one run in which faults came alone."""
    faults = sorted(record.faults, key=lambda fault: fault.start)
    for fault, later in itertools.zip_longest(faults, faults[1:]):
        until = fault.end + AFTER + fault.after
        if later is not None:
            until = min(until, later.start)
        seen = into.setdefault(fault.name, Seen())
        seen.times += 1
        for life in record.lives:
            if life.runtime == "gem":
                continue
            near = [one for one in life.said if fault.start <= one.time < until]
            said = [one for one in near if one.kind not in (*LEVELS, OWN)]
            lines = [one for one in near if one.kind in LEVELS[2:] and one.text]
            seen.logged += len(lines)
            seen.endpoints += bool(said)
            seen.told += len(said)
            seen.most = max(seen.most, len(said))
            seen.texts.update(f"{one.kind}: {general(one.text)}" for one in [*said, *lines])


def lines(found: dict[str, Seen]) -> list[str]:
    """One paragraph for each kind."""
    out = []
    for name in FAULTS:
        seen = found.get(name)
        if seen is None:
            continue
        out.append(
            f"{name} ({seen.times} times): {seen.told} reports by {seen.endpoints} endpoints, at most {seen.most} by one of them "
            f"each time; {seen.logged} lines in their logs"
        )
        out += [f"    {count:5d}  {text}" for text, count in seen.texts.most_common(6)]
    return out
