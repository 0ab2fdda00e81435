"""Draws what SPEC.md shows of the code's tables: the routing table, and the requester's and the responder's states.

``diagrams.py`` draws them anew between the markers of SPEC.md, ``--check`` only fails where SPEC.md shows something else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

from redisipc.protocol.routing import ROUTES
from redisipc.protocol.states import RECEIVED, SENT

from spec import SPEC, drawn, with_drawn

States = Mapping[tuple[str, str], str]

_DESTINATION = {"own": "own group", "other": "another group", "none": "empty or missing", "any": "not known"}
_KIND = {"request": "request", "response": "response", "malformed": "malformed", "gone": "no body"}
_INSTANCE = {"own": "own", "other": "another", "any": ""}
_LEDGER = {"known": "yes", "unknown": "no", "any": ""}

REQUESTER = {
    "written": "XADD is sent",
    "stored": "XADD answers the entry ID",
    "unknown": "the connection breaks before XADD is answered",
    "not stored": "refused for a passing reason, or not sent",
    "refused": "refused for good",
    "response": "its response is read",
    "deadline": "the timeout is over",
    "nothing found": "no response is on the stream",
    "cancel": "the caller cancels, or disconnect",
    "looking response": "a response is found, or read",
    "looking not stored": "XADD was refused",
    "queued deadline": "the timeout is over: nothing was written",
}
"""What the words of ``states.SENT`` mean to somebody who does not know the code; some mean more in one state."""

RESPONDER = {
    "start": "a handler is free",
    "check": "a handler is free, but it waited for over 1 s",
    "give back": "given back to the siblings",
    "overload": "to be rejected: too many wait, too many starts",
    "exists": "still on the stream",
    "not known": "the connection breaks, or an error",
    "answer": "the handler answers or fails",
    "answered": "EXEC is answered",
    "not answered": "refused for a passing reason, or not sent",
    "unknown": "the connection breaks before EXEC is answered",
    "still pending": "still pending for this instance: not written",
    "gone": "deleted by its requester, or taken over",
    "running gone": "deleted by its requester, taken over, or never to be answered",
    "checking gone": "no longer on the stream, or taken over",
    "answering gone": "refused for good, or taken over",
    "unsure gone": "not pending for this instance: it was written, or taken over",
}
"""Likewise for ``states.RECEIVED``."""


def routing() -> str:
    """The routing table, in Markdown."""
    lines = [
        "| `destination_group` | the entry is a | for the instance | `id` in the ledger | what is done | statements |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (destination, kind, instance, ledger), cell in ROUTES.items():
        cells = (_DESTINATION[destination], _KIND[kind], _INSTANCE[instance], _LEDGER[ledger], cell.action.value)
        lines.append(
            f"| {' | '.join(cells)} | {', '.join(cell.requirements)} |".replace("|  |", "| |").replace("|  |", "| |")
        )
    return "\n".join(lines) + "\n"


def machine(states: States, words: Mapping[str, str], last: str) -> str:
    """A state machine in Mermaid: one arrow for each pair of states, with all that leads from one to the other."""
    arrows: dict[tuple[str, str], list[str]] = {}
    used: set[str] = set()
    for (state, event), target in states.items():
        word = f"{state} {event}" if f"{state} {event}" in words else event
        if word not in words:
            raise ValueError(f"tools/diagrams.py has no words for the event {event!r} of the state {state!r}")
        used.add(word)
        arrows.setdefault((state, target), []).append(words[word])
    if used != set(words):
        raise ValueError(f"tools/diagrams.py has words for what there is not: {', '.join(sorted(set(words) - used))}")
    first = next(iter(states))[0]
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {state} --> {target} : {'<br/>'.join(events)}" for (state, target), events in arrows.items()]
    return "\n".join([*lines, f"    {last} --> [*]", "```"]) + "\n"


def drawings() -> dict[str, str]:
    """All drawings, by the name of their markers."""
    return {
        "routing": routing(),
        "requester": machine(SENT, REQUESTER, "finished"),
        "responder": machine(RECEIVED, RESPONDER, "gone"),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="what SPEC.md shows of the code's tables")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where SPEC.md shows something else")
    options = parser.parse_args(arguments)
    text = SPEC.read_text(encoding="utf-8")
    try:
        wrong = [name for name, content in drawings().items() if drawn(text, name) != content]
        if options.check and wrong:
            print(f"SPEC.md shows another {', '.join(wrong)} than the code has; run make requirements", file=sys.stderr)
            return 1
        for name in wrong:
            text = with_drawn(text, name, drawings()[name])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    if wrong:
        SPEC.write_text(text, encoding="utf-8")
        print(f"drew {', '.join(wrong)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
