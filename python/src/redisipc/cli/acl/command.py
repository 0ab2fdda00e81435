"""``redisipc acl [STREAM]``: prints the least rights; ``--test USER`` proves that a user has them."""

from __future__ import annotations

import argparse

from redisipc.cli.exits import FOUND, OK
from redisipc.cli.options import Given
from redisipc.cli.output import plural, table
from redisipc.cli.values import name

from .rights import CALLERS, NEEDS, allowed, escaped, rule


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    parser.add_argument("name", metavar="STREAM", nargs="?", help="the stream (default: --stream, REDISIPC_STREAM)")
    parser.add_argument("--test", type=name, metavar="USER", help="try each command as this user; nothing is executed")
    parser.add_argument("--user", metavar="USER", default="", help="the name in the printed rule")
    parser.add_argument(
        "--caller", action="store_true", help="the rights of a caller, a requester that belongs to no group"
    )
    parser.epilog = (
        "--test uses ACL DRYRUN. Before Redis 7, it reads the user's rules instead. Exit status 1: a right is missing, and\n"
        "something does not work without it. Rights that are only convenient are shown, and do not change the exit status."
    )


def run(given: Given) -> int:
    """Print the rule, or try it."""
    stream = given.name or given.stream
    needs = CALLERS if given.caller else NEEDS
    if not given.test:
        text = rule(stream, needs, given.user)
        if given.out.json:
            given.out.record({"rule": text})
        else:
            given.out.line(text)
            wide = (
                "" if given.caller else f"; the pattern {escaped(stream)}:* also matches streams whose names begin so"
            )
            given.out.say(f"replace {'' if given.user else 'NAME and '}PASSWORD{wide}")
        return OK
    found = allowed(given.client, given.test, stream, needs)
    missing = [need for need, may in found.items() if not may]
    if given.out.json:
        for need, may in found.items():
            key = next((word for word in need.words if word.startswith("{")), None)
            record = {"command": need.command, "allowed": may, "level": need.level, "needed_for": need.works}
            given.out.record({**record, "key": key and key.strip("{}")})
    else:
        cells = [["missing", need.command, f"works without it: {need.works}"] for need in missing]
        for line in table(cells):
            given.out.line(line)
    needed = [need for need in missing if need.level != "everything"]
    given.out.say(
        f"user {given.test}: {plural(len(found), 'right')} tried, {len(missing)} missing"
        + (f", {len(needed)} of them needed" if missing else "")
    )
    if needed and not given.out.json:
        given.out.say(
            f"to add them: ACL SETUSER {given.test} {' '.join(f'+{need.rule}' for need in needed)}, and the key patterns"
        )
    return FOUND if needed else OK
