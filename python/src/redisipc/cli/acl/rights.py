"""The rights of ``schemas/1.0/tables/rights.json`` as commands that can be tried, and whether a user has them."""

from __future__ import annotations

import fnmatch
from typing import Any, NamedTuple

from redisipc.cli.exits import REDIS, Problem
from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure


class Need(NamedTuple):
    """``words``: the command; ``{stream}``, ``{side}`` and ``{channel}`` stand for names. ``works``: what works without it."""

    words: tuple[str, ...]
    level: str
    works: str

    @property
    def rule(self) -> str:
        """The command as a rule of an ACL has it."""
        name = self.words[0].lower()
        return f"{name}|{self.words[1].lower()}" if name in _CONTAINERS else name

    @property
    def command(self) -> str:
        """The command's name for people."""
        return self.rule.replace("|", " ").upper()


_CONTAINERS = frozenset(("xgroup", "xinfo", "client"))
_ENTRY = (
    "id",
    "x",
    "instance_id",
    "x",
    "status",
    "pending",
    "content",
    "x",
    "source_group",
    "x",
    "destination_group",
    "x",
)
_CONVERSE = "nothing: an endpoint cannot connect, ask or answer"
_REGISTER = "profile `base`; a group of one instance"
_RECOVER = "profile `base`"
_MULTI = "answers are written by three commands (RIPC-RESP-26); profile `base`"
_SERVER = "everything, as for Redis 6.2 and without limits on the age of requests"

NEEDS = [
    Need(("XADD", "{stream}", "NOMKSTREAM", "*", *_ENTRY), "nothing", _CONVERSE),
    Need(("XREADGROUP", "GROUP", "g", "c", "STREAMS", "{stream}", ">"), "nothing", _CONVERSE),
    Need(("XACK", "{stream}", "g", "1-0"), "nothing", _CONVERSE),
    Need(("XDEL", "{stream}", "1-0"), "nothing", _CONVERSE),
    Need(("XGROUP", "CREATE", "{stream}", "g", "$", "MKSTREAM"), "nothing", _CONVERSE),
    Need(("XGROUP", "CREATECONSUMER", "{stream}", "g", "c"), "nothing", _CONVERSE),
    Need(("XGROUP", "DELCONSUMER", "{stream}", "g", "c"), "base", _RECOVER),
    Need(("XCLAIM", "{stream}", "g", "c", "0", "1-0", "JUSTID"), "base", _RECOVER),
    Need(("XPENDING", "{stream}", "g"), "base", _RECOVER),
    Need(("XRANGE", "{stream}", "-", "+"), "base", _RECOVER),
    Need(("XINFO", "STREAM", "{stream}"), "base", _RECOVER),
    Need(("XINFO", "GROUPS", "{stream}"), "base", _RECOVER),
    Need(("XINFO", "CONSUMERS", "{stream}", "g"), "base", _RECOVER),
    Need(("LPUSH", "{side}", "x"), "base", _REGISTER),
    Need(("LREM", "{side}", "0", "x"), "base", _REGISTER),
    Need(("LRANGE", "{side}", "0", "-1"), "base", _REGISTER),
    Need(("EXPIRE", "{side}", "100"), "base", _REGISTER),
    Need(("SET", "{side}", "x"), "base", _REGISTER),
    Need(("GET", "{side}"), "base", _REGISTER),
    Need(("DEL", "{side}"), "base", _REGISTER),
    Need(("MULTI",), "base", _MULTI),
    Need(("EXEC",), "base", _MULTI),
    Need(("INFO", "server"), "everything", _SERVER),
    Need(("TIME",), "everything", _SERVER),
    Need(
        ("PUBLISH", "{channel}", "x"),
        "everything",
        "everything; what was handed over or given back is found by polling",
    ),
    Need(
        ("SUBSCRIBE", "{channel}"), "everything", "everything; what was handed over or given back is found by polling"
    ),
    Need(("CLIENT", "ID"), "everything", "everything; a blocking read ends at the end of its `BLOCK`"),
    Need(("CLIENT", "UNBLOCK", "1"), "everything", "everything; a blocking read ends at the end of its `BLOCK`"),
    Need(("CLIENT", "SETNAME", "x"), "everything", "everything; a connection has no name in CLIENT LIST"),
    Need(("PING",), "everything", "everything; a subscription whose connection died in silence is not noticed"),
]
"""The commands that an endpoint of all profiles uses (SPEC.md, section 2)."""

CALLER = frozenset(("xadd", "xread", "xrange", "xdel"))
"""The commands that a caller uses (SPEC.md, section 8a)."""
CALLERS = [
    *(each for each in NEEDS if each.rule in CALLER),
    Need(("XREAD", "STREAMS", "{stream}", "$"), "nothing", "nothing: a caller cannot wait for an answer"),
    Need(
        ("XINFO", "GROUPS", "{stream}"), "everything", "everything; a request to a missing group waits for its timeout"
    ),
]


def filled(need: Need, stream: str) -> list[str]:
    """The command on the names of ``stream``."""
    names = {"{stream}": stream, "{side}": f"{stream}:g:a1b2c3:consumers", "{channel}": f"{stream}:g:wakeup"}
    return [names.get(word, word) for word in need.words]


def escaped(name: str) -> str:
    """A name as a pattern that matches it alone."""
    return "".join(f"\\{each}" if each in "*?[]\\" else each for each in name)


def rule(stream: str, needs: list[Need], user: str = "", channels: bool = True) -> str:
    """The rule for ``ACL SETUSER`` that gives the least rights."""
    pattern = escaped(stream)
    sides = any("{side}" in need.words for need in needs)
    keys = f"~{pattern} ~{pattern}:*" if sides else f"~{pattern}"
    messages = f" &{pattern}:*" if channels and sides else ""
    commands = " ".join(f"+{each}" for each in dict.fromkeys(need.rule for need in needs))
    return f"ACL SETUSER {user or 'NAME'} reset on >PASSWORD {keys} resetchannels{messages} -@all {commands}"


def allowed(client: Client, user: str, stream: str, needs: list[Need]) -> dict[Need, bool | None]:
    """Whether ``user`` may do each. None where the server cannot say. Raises ``Problem`` without the right to ask."""
    lines: list[Any] = [("ACL", "DRYRUN", user, *filled(need, stream)) for need in needs]
    replies = client.batch(lines)
    unknown = next((each for each in replies if isinstance(each, Failure)), None)
    if unknown is None:
        return {need: reply == b"OK" for need, reply in zip(needs, replies, strict=True)}
    if unknown.kind == "NOPERM":
        text = f"Redis at {client.address} refuses: {unknown.message}; --test needs an administrator: name one in --url"
        raise Problem(REDIS, text)
    if "not found" in unknown.message:
        raise client.refused(unknown)
    # Redis 6.2 has no DRYRUN: the rules are read instead.
    about = client.ask("ACL", "GETUSER", user)
    if about is None:
        raise client.refused(Failure("ERR", f"ERR User '{user}' not found"))
    return _by_rules(client, about, stream, needs)


def _by_rules(client: Client, about: Any, stream: str, needs: list[Need]) -> dict[Need, bool | None]:
    facts = {about[i]: about[i + 1] for i in range(0, len(about) - 1, 2)}
    words = facts[b"commands"].decode().split()
    keys, channels = (_patterns(facts.get(name, [])) for name in (b"keys", b"channels"))
    flags = set(facts.get(b"flags", []))
    members: dict[str, set[str]] = {}
    found: dict[Need, bool | None] = {}
    for need in needs:
        may = b"allcommands" in flags and not words
        for word in words:
            if _names(client, word[1:], need, members):
                may = word[0] == "+"
        line = filled(need, stream)
        for place, value in zip(need.words, line, strict=True):
            if place in ("{stream}", "{side}"):
                may = may and (b"allkeys" in flags or any(fnmatch.fnmatchcase(value, each) for each in keys))
            if place == "{channel}":
                may = may and (b"allchannels" in flags or any(fnmatch.fnmatchcase(value, each) for each in channels))
        found[need] = may and b"on" in flags
    return found


def _names(client: Client, word: str, need: Need, members: dict[str, set[str]]) -> bool:
    """Whether a rule's word means the command."""
    name = need.rule.partition("|")[0]
    if word == "@all":
        return True
    if word.startswith("@"):
        if word not in members:
            reply = client.ask("ACL", "CAT", word[1:], least=False)
            members[word] = set() if isinstance(reply, Failure) else {each.decode().lower() for each in reply}
        # Redis 7 lists subcommands, 6.2 the container alone.
        parts = any(each.startswith(f"{name}|") for each in members[word])
        return need.rule in members[word] or (name in members[word] and not parts)
    return word.lower() in (name, need.rule)


def _patterns(reply: Any) -> list[str]:
    """A list in Redis 6.2, later one text; the patterns of Redis 7 that allow only reading or writing count as none."""
    parts = reply.split(b" ") if isinstance(reply, bytes) else reply
    return [_pattern(each) for each in parts if not each.startswith(b"%") or each.startswith(b"%RW~")]


def _pattern(raw: bytes) -> str:
    """A pattern of Redis as ``fnmatch`` has it: a backslash escapes one character."""
    text, shown, i = raw.decode("utf-8", "surrogateescape"), "", 0
    text = text.removeprefix("%RW")
    text = text[1:] if text.startswith(("~", "&")) else text
    while i < len(text):
        if text[i] == "\\" and i + 1 < len(text):
            shown += f"[{text[i + 1]}]"
            i += 2
            continue
        shown += text[i]
        i += 1
    return shown
