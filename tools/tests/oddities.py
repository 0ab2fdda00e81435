"""Values on which validators may differ, each with the verdict that all of them must give."""

from __future__ import annotations

from typing import Any, NamedTuple

from schemas import schema_files

FILES = schema_files()
WHITE_SPACE = [
    *range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000
]  # fmt: skip
"""The 25 characters of SPEC.md, section 3."""
OTHERS = [0x00, 0x1C, 0x1D, 0x1E, 0x1F, 0x180E, 0x200B, 0x200D, 0x2060, 0xFEFF, 0x1F600]
"""Characters that some languages trim, or show as nothing, but that are not white space here."""


class Oddity(NamedTuple):
    """A value for a schema."""

    schema: str
    about: str
    value: Any
    valid: bool


def changed(schema: str, field: str, value: Any) -> Any:
    """The schema's first own example, with another value in one field."""
    return {**FILES[schema].content["examples"][0], field: value}


def _names() -> list[Oddity]:
    rows = []
    for schema, field in (
        ("1.0/entry", "source_group"), ("1.0/entry", "destination_group"), ("1.0/names", "stream"), ("1.0/names", "group")
    ):  # fmt: skip
        for code in WHITE_SPACE:
            rows.append(Oddity(schema, f"{field} U+{code:04X} alone", changed(schema, field, chr(code)), False))
            rows.append(Oddity(schema, f"{field} a U+{code:04X}", changed(schema, field, f"a{chr(code)}"), True))
        for code in OTHERS:
            rows.append(Oddity(schema, f"{field} U+{code:04X} alone", changed(schema, field, chr(code)), True))
        whole = "".join(map(chr, WHITE_SPACE))
        rows.append(Oddity(schema, f"{field} all white space", changed(schema, field, whole), False))
        rows.append(Oddity(schema, f"{field} empty", changed(schema, field, ""), False))
    return rows


_HEX = {
    "1.0/entry": {"id": 21, "instance_id": 6},
    "1.0/names": {"request_id": 21, "instance": 6},
}


def _ids() -> list[Oddity]:
    rows = []
    for schema, fields in _HEX.items():
        for field, length in fields.items():
            good = "a" * length
            for about, value, valid in [
                ("plain", good, True),
                ("a line feed behind", good + "\n", False),
                ("a line feed instead of the last", good[:-1] + "\n", False),
                ("a line feed before", "\n" + good, False),
                ("two lines", f"{good}\n{good}", False),
                ("a carriage return behind", good + "\r", False),
                ("U+2028 behind", good + "\u2028", False),
                ("capitals", good.upper(), False),
                ("full-width digits", "\uff11" * length, False),
                ("Arabic digits", "\u0661" * length, False),
                ("two code units a character", "\U0001f600" * (length // 2), False),
                ("one short", good[1:], False),
                ("one long", good + "a", False),
                ("a number", int("1" * length), False),
                ("null", None, False),
            ]:
                rows.append(Oddity(schema, f"{field} {about}", changed(schema, field, value), valid))
    return rows


def _patterns() -> list[Oddity]:
    rows = []
    example = FILES["1.0/names"].content["examples"][0]
    for field in (
        "dispatcher", "consumer", "consumers_key", "announce_key", "instance_channel", "group_channel"
    ):  # fmt: skip
        for about, value, valid in [
            ("plain", example[field], True),
            ("a line feed behind", example[field] + "\n", False),
            ("two line feeds behind", example[field] + "\n\n", False),
            ("a carriage return behind", example[field] + "\r", False),
            ("U+2029 behind", example[field] + "\u2029", False),
            ("a blank behind", example[field] + " ", False),
        ]:
            rows.append(Oddity("1.0/names", f"{field} {about}", changed("1.0/names", field, value), valid))
    for field in ("dispatcher", "consumer"):
        odd = example[field].replace("_0", "_\u0660")
        rows.append(Oddity("1.0/names", f"{field} an Arabic digit", changed("1.0/names", field, odd), False))
    for field, key in (("consumers_key", "consumers"), ("announce_key", "announce"), ("instance_channel", "wakeup")):
        long = f"a\n\u2028 b:c\r::d4e5f6:{key}"
        rows.append(Oddity("1.0/names", f"{field} odd stream and group", changed("1.0/names", field, long), True))
    return rows


def _numbers() -> list[Oddity]:
    rows = []
    for about, value, valid in [
        ("1", 1, True),
        ("1.0", 1.0, True),
        ("1e3", 1e3, True),
        ("1.5", 1.5, False),
        ("0", 0, False),
        ("-0.0", -0.0, False),
        ("true", True, False),
        ("2^53 + 1", 2**53 + 1, True),
        ("1e300", 1e300, True),
        ("text", "500", False),
    ]:
        value = changed("1.0/channel-request", "meta", {"timeout_ms": value})
        rows.append(Oddity("1.0/channel-request", f"timeout_ms {about}", value, valid))
    return rows


def _shapes() -> list[Oddity]:
    rows = []
    for schema in ("1.0/entry", "1.0/entry-read", "1.0/channel-request", "1.0/announcement", "1.0/names"):
        wholes: list[tuple[str, Any]] = [
            ("null", None),
            ("a list", []),
            ("a text", "{}"),
            ("empty", {}),
            ("false", False),
        ]
        for about, value in wholes:
            rows.append(Oddity(schema, f"whole value {about}", value, False))
    for schema, field in (("1.0/entry", "__proto__"), ("1.0/entry-read", "constructor"), ("1.0/entry", "toString")):
        rows.append(Oddity(schema, f"a field {field}", changed(schema, field, "x"), False))
    rows.append(Oddity("1.0/announcement", "a key __proto__", changed("1.0/announcement", "__proto__", {}), True))
    lacking = {k: v for k, v in changed("1.0/channel-request", "event", "x").items() if k != "event"}
    rows.append(Oddity("1.0/channel-request", "no event", lacking, False))
    for status in ("pending\n", "Pending", " pending", "pending\u0000", "", "\u017fulfilled"):
        for schema in ("1.0/entry", "1.0/entry-read"):
            rows.append(Oddity(schema, f"status {status!r}", changed(schema, "status", status), False))
    return rows


ODDITIES = [*_names(), *_ids(), *_patterns(), *_numbers(), *_shapes()]
