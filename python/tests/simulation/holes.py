"""The holes that SPEC.md's review found, by number: the statements that close each, and the rules of the core that keep them.

Each rule has a stored plan, which breaks where the rule is switched off (``test_stored.py``). What no plan can show names the
test that does. ``python -m tests.simulation.holes`` prints the table.
"""

from __future__ import annotations

from typing import NamedTuple

from .stored import load


class Hole(NamedTuple):
    """``rules`` by their names in ``switches.RULES``; ``elsewhere``: a test beside this folder."""

    what: str
    statements: tuple[str, ...]
    rules: tuple[str, ...] = ()
    elsewhere: str = ""


HOLES = {
    "H1": Hole(
        "Redis refuses writes while looks work",
        ("RECOV-16", "RECOV-17", "GROUP-29"),
        ("write-between-looks", "hold-after-refusal"),
    ),
    "H2": Hole("a give-back is sent again", ("RECOV-18",), ("claim-once",)),
    "H3": Hole(
        "what is found in its own list starts without a claim", ("RECOV-19", "GROUP-31"), ("claim-before-start",)
    ),
    "H4": Hole("10 s are 7 s", ("GROUP-13",), elsewhere="simulation/test_causes.py"),
    "H5": Hole("the first connect has no hold", ("RECOV-7",), ("hold-at-first-connect", "hold-after-connect")),
    "H6": Hole(
        "a group that is made again moves backwards",
        ("RECOV-8", "RECOV-9", "RECOV-20"),
        ("group-at-last-read", "never-set-the-group"),
    ),
    "H7": Hole("a lost read is served after its own list was read", ("RECOV-21",), ("own-list-twice",)),
    "H8": Hole("missing in a reply is not given up", ("GROUP-32", "RESP-14"), ("look-before-gone", "body-decides")),
    "H9": Hole(
        "a live member's consumer is deleted",
        ("LIFE-23",),
        ("delete-dead-consumers-late", "return-what-was-just-given"),
    ),
    "H10": Hole("leaving deletes what was just handed over", ("LIFE-22", "LIFE-25"), ("restore-what-goes",)),
    "H11": Hole("a handler outlives the disconnect", ("LIFE-26",), ("reject-at-close-limit",)),
    "H12": Hole("a request is deleted after its last look", ("TIME-13",), ("delete-before-look",)),
    "H13": Hole("the last look begins by a clock", ("TIME-14",), ("look-from-known-id",)),
    "H14": Hole("a last look through a long stream", ("TIME-8",), elsewhere="protocol/test_requester.py"),
    "H15": Hole(
        "the grace is shorter than the registration's refresh",
        ("LIFE-27", "ROUTE-8", "ROUTE-16"),
        ("refresh-before-request", "long-grace", "keep-what-waits"),
    ),
    "H16": Hole("starts in a mixed group", ("GROUP-20",), ("count-by-three",)),
    "H17": Hole("idle times of over 12 h pass for give-backs", ("GROUP-24", "GROUP-36"), ("mark-of-years",)),
    "H18": Hole("a look and a claim are not one", ("GROUP-11", "GROUP-30"), ("late-owner-looks", "late-claim-yields")),
    "H19": Hole(
        "a cluster moves the slot", ("RECOV-22", "RECOV-23", "RECOV-24"), elsewhere="runtime/test_redirects.py"
    ),
    "H20": Hole("a full group waits for a place", ("GROUP-33",), ("look-with-room",)),
    "H21": Hole("an instance without a handler rejects", ("GROUP-35",), ("without-handler-give-back",)),
    "H22": Hole("another request under the same entry ID", ("RECOV-4",), ("same-id-and-entry",)),
}


def plans(hole: Hole) -> dict[str, str]:
    """The stored plans of its rules, with what is broken where they are switched off."""
    found = [stored for stored in load().values() if set(stored.rules) & set(hole.rules)]
    return {stored.name: ", ".join(sorted(stored.breaks)) for stored in found}


def main() -> None:
    print("| hole | what | statements | rules | stored plan, and what breaks without the rule |")
    print("| --- | --- | --- | --- | --- |")
    for number, hole in HOLES.items():
        shown = "; ".join(f"*{name}*: {breaks}" for name, breaks in plans(hole).items()) or f"`{hole.elsewhere}`"
        print(f"| {number} | {hole.what} | {', '.join(hole.statements)} | {', '.join(hole.rules)} | {shown} |")


if __name__ == "__main__":
    main()
