"""Whether an entry is valid: `schemas/1.0/entry.json` for the testee's requests, the six fields for everything else.

A responder repeats the id and the instance that it got, in any form. So an answer has fewer rules than a request.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

from jsonschema import Draft202012Validator

from ..files import schema_file

FIELDS = ("id", "instance_id", "status", "content", "source_group", "destination_group")
STATUSES = ("pending", "fulfilled", "rejected")
WHITE_SPACE = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The characters with Unicode's property White_Space (SPEC.md, section 3)."""


FORMS = {
    "id": ("21 lower-case hex characters", "RIPC-NAME-9"),
    "instance_id": ("6 lower-case hex characters", "RIPC-NAME-4"),
    "source_group": ("the name of the requester's group", "RIPC-ENTRY-6"),
    "destination_group": ("the name of the group that is asked", "RIPC-ENTRY-6"),
}
"""The form of a field in a request, and the statement that gives it."""


@lru_cache(maxsize=1)
def _schema() -> Draft202012Validator | None:
    path = schema_file("entry")
    if not path.is_file():
        return None
    return Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def problem(pairs: Sequence[tuple[bytes, bytes]], *, by_suite: bool) -> tuple[str, str] | None:
    """None for a valid entry, else its error, and the statement that it breaks."""
    names = [name.decode("utf-8", "replace") for name, _ in pairs]
    if sorted(names) != sorted(FIELDS):
        return f"its fields are {', '.join(names)}; an entry has exactly {', '.join(FIELDS)}", "RIPC-ENTRY-1"
    fields = {name.decode(): value.decode("utf-8", "replace") for name, value in pairs}
    if fields["status"] not in STATUSES:
        return f"its status is {fields['status']!r}; expected one of {', '.join(STATUSES)}", "RIPC-ENTRY-10"
    for name in FIELDS:
        # A reader accepts every name that is not empty, and a responder repeats it. A requester must not use a blank
        # one.
        repeated = by_suite or fields["status"] != "pending"
        if name != "content" and not (fields[name] if repeated else fields[name].strip(WHITE_SPACE)):
            return f"its {name} is blank", FORMS.get(name, ("", "RIPC-ENTRY-1"))[1]
    schema = _schema()
    if by_suite or schema is None or fields["status"] != "pending":
        return None
    error = next(iter(schema.iter_errors(fields)), None)
    if error is None:
        return None
    name = str(error.absolute_path[0]) if error.absolute_path else ""
    if name not in FORMS:
        return f"its {name or 'shape'} is wrong: {error.message[:200]}", "RIPC-ENTRY-1"
    form, statement = FORMS[name]
    return f"its {name} is {fields[name][:80]!r}; expected {form}", statement
