"""Names and entries (sections 3, 4 and 14)."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from .mutation import mutant

FIELDS = (b"id", b"instance_id", b"status", b"content", b"source_group", b"destination_group")
PENDING, FULFILLED, REJECTED = b"pending", b"fulfilled", b"rejected"
_process_instance = secrets.token_hex(3)


def check_name(what: str, name: str) -> bytes:
    """The name as bytes. Raises ValueError where it is blank."""
    if mutant("a-name-checked-once-is-good") and isinstance(name, str):
        if name in _checked:
            return name.encode()
        _checked.add(name)
    if not isinstance(name, str) or not name.strip(" \t\r\n" if mutant("blank-in-ascii") else None):
        raise ValueError(f"{what} must not be blank")
    if what == "group" and name.startswith("caller:") and not mutant("takes-a-callers-name"):
        raise ValueError("a group's name must not begin with caller:")
    if mutant("names-in-ascii"):
        return name.encode("ascii", "replace")
    if mutant("names-up-to-128") and len(name.encode()) > 128:
        raise ValueError(f"{what} is longer than 128 bytes")
    if mutant("spaces-in-names-replaced"):
        name = name.replace(" ", "_")
    return name.encode()


_checked: set[str] = set()
"""Only for mutants."""
_used: list[bytes] = []
"""Only for a mutant: the ids that this process has given."""


def new_instance() -> str:
    if mutant("one-instance-for-the-process"):
        return _process_instance
    if mutant("instance-of-8"):
        return secrets.token_hex(4)
    return secrets.token_hex(3).upper() if mutant("instance-in-capitals") else secrets.token_hex(3)


def new_id(content: bytes) -> bytes:
    if mutant("id-of-20"):
        return secrets.token_hex(10).encode()
    if mutant("id-from-content"):
        return hashlib.sha256(content).hexdigest()[:21].encode()
    if mutant("id-in-capitals"):
        return secrets.token_hex(11)[:21].upper().encode()
    if mutant("ids-begin-again"):
        _used.append(_used[-500] if len(_used) >= 500 else secrets.token_hex(11)[:21].encode())
        return _used[-1]
    return secrets.token_hex(11)[:21].encode()


@dataclass(frozen=True)
class Names:
    stream: bytes
    group: bytes
    instance: bytes

    @property
    def dispatcher(self) -> bytes:
        prefix = b"reader" if mutant("reads-under-another-name") else b"dispatcher"
        return b"%b_%b_0" % (prefix, self.instance)

    @property
    def consumer(self) -> bytes:
        return b"consumer_%b_0" % self.instance

    def key(self, kind: bytes, instance: bytes | None = None) -> bytes:
        """A side key or wake-up channel of an instance of the group: ``consumers``, ``announce``, ``wakeup``."""
        return b"%b:%b:%b:%b" % (self.stream, self.group, instance or self.instance, kind)

    @property
    def group_wakeup(self) -> bytes:
        return b"%b:%b:wakeup" % (self.stream, self.group)


def instance_of(consumer: bytes) -> bytes | None:
    match = re.fullmatch(rb"(?:consumer|dispatcher)_(.+)_\d+", consumer)
    return match.group(1) if match else None


def add(stream: bytes, kind: str, values: tuple[bytes, ...]) -> list[Any]:
    """XADD of a ``request`` or a ``response``; ``values`` in the order of ``FIELDS``."""
    pairs = list(zip(FIELDS, values, strict=True))
    if mutant("fields-in-another-order") and kind == "request":
        pairs.sort()
    if mutant("response-fields-in-another-order") and kind == "response":
        pairs[3], pairs[4] = pairs[4], pairs[3]
    if mutant("request-with-a-seventh-field") and kind == "request":
        pairs.append((b"version", b"1.0"))
    if mutant("response-with-a-seventh-field") and kind == "response":
        pairs.append((b"duration", b"5"))
    id = b"%d-%d" % (time.time() * 1000 + 1, secrets.randbelow(1000)) if mutant("own-entry-ids") else b"*"
    makes = mutant("add-makes-the-stream") or mutant("adds-before-the-group")
    options = [] if makes else [b"NOMKSTREAM"]
    if mutant("trims-by-length"):
        options += [b"MAXLEN", b"~", b"10000"]
    return [b"XADD", stream, *options, id, *(part for pair in pairs for part in pair)]


@dataclass
class Entry:
    """An entry as read. ``problem``: what makes it malformed, if anything does."""

    entry_id: bytes
    id: bytes = b""
    instance: bytes = b""
    status: bytes = b""
    content: bytes = b""
    source: bytes = b""
    destination: bytes = b""
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    problem: str = ""

    @property
    def stored_at(self) -> float:
        """Seconds, on Redis' clock."""
        return int(self.entry_id.partition(b"-")[0]) / 1000


def parse(entry_id: bytes, raw: list[bytes]) -> Entry:
    pairs = list(zip(raw[0::2], raw[1::2], strict=True))
    fields = dict(pairs)
    if mutant("reads-fields-by-place") and len(pairs) == 6:
        fields = dict(zip(FIELDS, raw[1::2], strict=True))
    if mutant("first-destination-counts"):
        fields.update(reversed([pair for pair in pairs if pair[0] == b"destination_group"]))
    values = [fields.get(name, b"") for name in FIELDS]
    entry = Entry(entry_id, values[0], values[1], values[2], values[3], values[4], values[5], pairs)
    entry.problem = _problem(entry, fields, len(pairs))
    if mutant("utf-8-fields-or-nothing"):
        for name in ("id", "instance", "source"):
            getattr(entry, name).decode()
    return entry


def _problem(entry: Entry, fields: dict[bytes, bytes], count: int) -> str:
    if mutant("without-a-status-is-a-request") and b"status" not in fields:
        fields[b"status"] = entry.status = PENDING
        count += 1
    if mutant("without-an-id-gets-one") and b"id" not in fields:
        fields[b"id"] = entry.id = new_id(b"")
        count += 1
    if mutant("without-content-is-null") and b"content" not in fields:
        fields[b"content"] = entry.content = b"null"
        count += 1
    missing = [name.decode() for name in FIELDS if name not in fields]
    if missing:
        return f"missing {', '.join(missing)}"
    if len(fields) > 6 and not mutant("extra-fields-pass"):
        return "a field beyond the six"
    if count > len(fields) and not mutant("double-fields-pass"):
        return "a field twice"
    if mutant("status-in-any-case"):
        entry.status = entry.status.lower()
    if mutant("unknown-status-is-a-request") and entry.status not in (FULFILLED, REJECTED):
        entry.status = PENDING
    if mutant("unknown-status-is-a-rejection") and entry.status not in (PENDING, FULFILLED):
        entry.status = REJECTED
    if entry.status not in (PENDING, FULFILLED, REJECTED):
        return f"status {entry.status!r}"
    if not (entry.id and entry.instance and entry.source) and not mutant("empty-fields-pass"):
        return "an empty field"
    if mutant("wants-21-hex") and not re.fullmatch(rb"[0-9a-f]{21}", entry.id):
        return "an id of another form"
    if mutant("wants-6-hex") and not re.fullmatch(rb"[0-9a-f]{6}", entry.instance):
        return "an instance of another form"
    if mutant("wants-utf-8") and not _is_utf8(entry.content):
        return "content that is no UTF-8"
    return ""


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def id_parts(id: bytes) -> tuple[int, int]:
    """An entry ID as numbers, which compare as Redis orders them."""
    first, _, second = id.partition(b"-")
    return int(first), int(second or 0)
