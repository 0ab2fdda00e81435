"""The server: its version, its memory, its persistence, its clock, and the rights of this user."""

from __future__ import annotations

from collections.abc import Iterator

from redisipc.cli.acl.rights import NEEDS, allowed
from redisipc.cli.exits import Problem
from redisipc.cli.output import ago

from .finding import NOTE, PROBLEM, WARNING, Facts, Finding, command

CLOCK = 2.0
"""Seconds that clocks may differ."""


def version(facts: Facts) -> Iterator[Finding]:
    """RIPC-REDIS-1."""
    text = facts.info.get("redis_version", "")
    parts = [int(part) for part in text.split(".")[:2] if part.isdigit()]
    if "valkey_version" not in facts.info and parts and parts < [6, 2]:
        yield Finding(
            "old-server", PROBLEM, f"Redis {text}", "The protocol needs Redis 6.2 or later, or Valkey.", "Update Redis."
        )


def eviction(facts: Facts) -> Iterator[Finding]:
    """RIPC-REDIS-6."""
    policy, most = facts.info.get("maxmemory_policy", "noeviction"), int(facts.info.get("maxmemory", 0))
    if policy == "noeviction" or not most:
        return
    expires = facts.client.ask("PTTL", facts.stream) >= 0
    if policy.startswith("volatile") and not expires:
        yield Finding(
            "eviction", WARNING, f"maxmemory-policy is {policy}, maxmemory {most}",
            "Availability lists expire, so that this policy may evict them. Then no response can be handed over.",
            "Set the policy to noeviction.", (command("CONFIG", "SET", "maxmemory-policy", "noeviction"),),
        )  # fmt: skip
        return
    yield Finding(
        "eviction", PROBLEM, f"maxmemory-policy is {policy}, maxmemory {most}",
        "When memory is short, Redis may delete the stream with all its requests and groups.",
        "Set the policy to noeviction.", (command("CONFIG", "SET", "maxmemory-policy", "noeviction"),),
    )  # fmt: skip


def memory(facts: Facts) -> Iterator[Finding]:
    """Short of memory, Redis refuses every XADD."""
    used, most = int(facts.info.get("used_memory", 0)), int(facts.info.get("maxmemory", 0))
    if most and used > 0.9 * most:
        yield Finding(
            "memory-full", PROBLEM if used >= most else WARNING, f"{used} of {most} bytes are used",
            "At maxmemory Redis refuses requests and answers (OOM).",
            "Give Redis more memory, or delete what is not needed.",
            (command("CONFIG", "SET", "maxmemory", str(max(2 * used, 2 * most))),),
        )  # fmt: skip


def persistence(facts: Facts) -> Iterator[Finding]:
    """Whether a restart keeps what waits, and whether writing to disk fails."""
    info = facts.info
    if not info:
        return
    failed = [name for name in ("rdb_last_bgsave_status", "aof_last_write_status") if info.get(name, "ok") != "ok"]
    if failed:
        yield Finding(
            "cannot-save", PROBLEM, f"{' and '.join(failed)}: err",
            "Redis cannot write to its disk. By default it then refuses every write (MISCONF).",
            "Look at Redis' log and at the disk; then let it save again.", (command("BGSAVE"),),
        )  # fmt: skip
    if info.get("aof_enabled") == "0" and not _saves(facts):
        yield Finding(
            "not-persistent", NOTE, "neither AOF nor snapshots are on",
            "A restart of Redis loses the requests that wait, and all groups. Ports make their groups again, gems do not (GEM-8).",
            "Switch the AOF on, if that matters to you.", (command("CONFIG", "SET", "appendonly", "yes"),),
        )  # fmt: skip


def _saves(facts: Facts) -> bool:
    [reply] = facts.client.batch([("CONFIG", "GET", "save")])
    if not isinstance(reply, list):
        facts.skipped.append("snapshots: no right to CONFIG GET")
        return True
    return len(reply) > 1 and bool(reply[1])


def replica(facts: Facts) -> Iterator[Finding]:
    """A replica refuses writes."""
    if facts.info.get("role") == "slave":
        yield Finding(
            "replica", PROBLEM, f"this server is a replica of {facts.info.get('master_host')}:{facts.info.get('master_port')}",
            "It refuses all writes (READONLY), so that nobody can ask or answer here.",
            "Connect everybody to the master. Or promote this one, if it should be the master.",
            (command("REPLICAOF", "NO", "ONE"),),
        )  # fmt: skip


def slot(facts: Facts) -> Iterator[Finding]:
    """In a cluster all keys of a stream should share a slot."""
    name = facts.stream
    tagged = "{" in name and name.find("}", name.find("{")) > name.find("{") + 1
    if facts.info.get("cluster_enabled") == "1" and not tagged:
        yield Finding(
            "no-hash-tag", WARNING, f"Redis is a cluster, and the stream's name {name!r} has no braces",
            "The stream and its side keys lie on several nodes. The Python library refuses to connect in this case.",
            f"Name the stream {'{' + name + '}'!r} in all programs.",
        )  # fmt: skip


def clock(facts: Facts) -> Iterator[Finding]:
    """Ages and deadlines are judged by Redis' clock."""
    ahead = facts.ahead
    if ahead is not None and abs(ahead) > CLOCK + facts.doubt:
        word = "ahead of" if ahead > 0 else "behind"
        yield Finding(
            "clock", WARNING, f"Redis' clock is {ago(abs(ahead))} {word} this machine's",
            "Times in logs do not match. A program that compares entry IDs with its own clock is wrong by that much.",
            "Synchronize the clocks of both machines by NTP.",
        )  # fmt: skip


def rights(facts: Facts) -> Iterator[Finding]:
    """The rights of the user that doctor itself uses."""
    try:
        who = facts.client.ask("ACL", "WHOAMI").decode()
        found = allowed(facts.client, who, facts.stream, NEEDS)
    except Problem:
        facts.skipped.append("rights: no right to ACL WHOAMI and DRYRUN, or this server does not have them")
        return
    missing = [need for need, may in found.items() if may is False and need.level != "everything"]
    if missing:
        names = ", ".join(need.command for need in missing)
        yield Finding(
            "rights", PROBLEM, f"user {who!r} may not: {names}",
            f"Works without them: {missing[0].works}.", "Give the rights; `redisipc acl` prints the whole rule.",
            (command("ACL", "SETUSER", who, *(f"+{need.rule}" for need in missing)),),
        )  # fmt: skip


CHECKS = [version, eviction, memory, persistence, replica, slot, clock, rights]
