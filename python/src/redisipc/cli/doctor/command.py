"""``redisipc doctor``: runs the checks, prints the findings."""

from __future__ import annotations

import argparse
import shlex
import textwrap
from collections.abc import Callable, Iterator

from redisipc.cli.exits import FOUND, NOBODY, OK, Problem
from redisipc.cli.look.stream import no_group
from redisipc.cli.options import Given
from redisipc.cli.output import plural, safe
from redisipc.cli.values import duration, name

from . import entries, members, place, server, traffic
from .finding import NOTE, PROBLEM, WARNING, Facts, Finding

CHECKS = [*place.CHECKS, *server.CHECKS, *members.CHECKS, *entries.CHECKS, *traffic.CHECKS]
SHOWN_COMMANDS = 5
"""The most commands of one finding that a terminal shows; ``--json`` has all."""
_STYLES = {PROBLEM: "bold red", WARNING: "yellow", NOTE: "cyan"}


def add(parser: argparse.ArgumentParser) -> None:
    """The command's own words."""
    parser.add_argument(
        "--group",
        "-g",
        type=name,
        metavar="GROUP",
        help="only findings about this group, and those that belong to no group",
    )
    parser.add_argument(
        "--for", type=duration, metavar="10s", dest="seconds",
        help="also watch the traffic for this time: finds members that lack an event or a handler",
    )  # fmt: skip
    parser.epilog = (
        "It changes nothing. The commands that it prints change data: check them before you run them.\n"
        "Exit status 1: problems or warnings.\n"
        "It also examines the Redis that the gem uses by default (REDIS_HOST, REDIS_PORT, else localhost:6379)."
    )


def run(given: Given) -> int:
    """Look, check, print."""
    facts = Facts(given.client, given.stream)
    if given.seconds and facts.found is not None:
        given.out.say(f"watching {safe(given.stream)} for {given.seconds:g} s")
        traffic.observe(facts, given.seconds)
    found = [finding for check in CHECKS for finding in _checked(check, facts)]
    wanted = [each for each in found if given.group in (None, each.group) or each.group is None]
    order = (PROBLEM, WARNING, NOTE)
    for finding in sorted(wanted, key=lambda each: order.index(each.severity)):
        if given.out.json:
            given.out.record(finding.as_json())
        else:
            _print(given, finding)
    _sum_up(given, facts, wanted)
    if given.group is not None and facts.found is not None and facts.found.group(given.group) is None:
        raise Problem(NOBODY, no_group(facts.found, given.group))
    return FOUND if any(each.severity != NOTE for each in wanted) else OK


def _checked(check: Callable[[Facts], Iterator[Finding]], facts: Facts) -> list[Finding]:
    """The findings of one check; a right that it lacks skips it, and no other."""
    try:
        return list(check(facts))
    except Problem as problem:
        if "NOPERM" not in str(problem):
            raise
        name = check.__name__.replace("_", " ")
        facts.skipped.append(f"{name}: {str(problem).partition('refuses: ')[2].partition(';')[0]}")
        return []


def _print(given: Given, finding: Finding) -> None:
    out = given.out
    width = min(out.width, 110)
    out.line(f"{out.paint(finding.severity.upper(), _STYLES[finding.severity])} {out.paint(finding.code, 'bold')}")
    for label, text in (("seen", finding.seen), ("why", finding.why), ("mend", finding.mend)):
        lead = f"  {label:<5} "
        lines = textwrap.wrap(safe(text), width - len(lead), break_on_hyphens=False) or [""]
        for number, line in enumerate(lines):
            out.line(f"{out.paint(lead, 'dim') if number == 0 else ' ' * len(lead)}{line}")
    # A gem leaves thirty consumers, each with a command of its own.
    shown = finding.commands if len(finding.commands) <= SHOWN_COMMANDS + 1 else finding.commands[:SHOWN_COMMANDS]
    for command in shown:
        # In one piece, however long: it is to be copied.
        program = "" if command.startswith("redis-cli ") else f"{_redis_cli(given)} "
        out.line(f"        $ {program}{safe(command)}")
    if len(shown) < len(finding.commands):
        out.line(f"        ... {len(finding.commands) - len(shown)} more commands like these: --json lists all of them")
    out.line()


def _redis_cli(given: Given) -> str:
    address = given.client.address
    if address.kind == "unix":
        return f"redis-cli -s {address.host} -n {address.db}"
    tls = " --tls" if address.kind == "rediss" else ""
    for file, option in (("ssl_ca_certs", "--cacert"), ("ssl_certfile", "--cert"), ("ssl_keyfile", "--key")):
        tls += f" {option} {shlex.quote(address.tls[file])}" if tls and file in address.tls else ""
    # The password is not shown: redis-cli asks for it.
    login = f" --user {shlex.quote(address.user)}" if address.user else ""
    login += " --askpass" if address.password else ""
    return f"redis-cli -h {address.host} -p {address.port} -n {address.db}{tls}{login}"


def _sum_up(given: Given, facts: Facts, found: list[Finding]) -> None:
    counts = {severity: sum(each.severity == severity for each in found) for severity in (PROBLEM, WARNING, NOTE)}
    well = "nothing is wrong" + (" in what could be checked" if facts.skipped else "")
    parts = [plural(number, severity) for severity, number in counts.items() if number] or [well]
    what = f"{len(CHECKS)} checks of {safe(facts.stream)} at {given.client.address}"
    given.out.say(f"{what}: {', '.join(parts)}")
    if facts.observed is not None and not facts.observed.entries:
        given.out.say("nothing passed meanwhile, so it is not known whether all members have all events")
    if facts.observed is None and not given.seconds:
        given.out.say("with --for 10s, doctor also watches the traffic")
    for text in dict.fromkeys(facts.skipped):  # a right that several groups needed is said once
        given.out.say(f"not checked: {text}")
