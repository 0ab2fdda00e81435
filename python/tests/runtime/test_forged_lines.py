"""The writes of others to the stream forge no line of a log, and send no command to a terminal (CWE-117)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import redis

from redisipc import EntryError, HandlerError, Rejected, RequestTimeout
from redisipc.errors import one_line

from .faces import Face, until

EVIL = "x\n2026-01-01 00:00:00,000 CRITICAL root: forged\x1b[31m\u2028\u202e"
CONTROLS = [*map(chr, range(32)), "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066", "\ud800"]


def unsafe(text: str) -> list[str]:
    return [character for character in CONTROLS if character in text]


def entry(**fields: str) -> dict[Any, Any]:
    usual = {
        "id": "a" * 21, "instance_id": "abcdef", "status": "pending", "content": "1",
        "source_group": "web", "destination_group": "stock",
    }  # fmt: skip
    return {**usual, **fields}


ENTRIES = [
    entry(**{EVIL: "2"}),
    {"id": "a", EVIL: "1", "destination_group": "stock"},
    entry(status=EVIL),
    entry(id=EVIL),
    entry(source_group=EVIL),
    entry(instance_id=EVIL),
    entry(content=EVIL),
]


@pytest.mark.parametrize("text", CONTROLS)
def test_a_control_character_is_written_as_an_escape(text: str) -> None:
    assert unsafe(one_line(f"a{text}b")) == []
    assert one_line("tidy, ü 🐍 'x' \\n") == "tidy, ü 🐍 'x' \\n"


def test_the_errors_that_carry_the_words_of_others_are_one_line() -> None:
    errors = [
        Rejected(EVIL), Rejected(EVIL, group="stock"), Rejected({"a": 1}, text=EVIL, code=EVIL), RequestTimeout(EVIL),
        EntryError(EVIL), HandlerError(EVIL),
    ]  # fmt: skip
    assert [unsafe(str(error)) for error in errors] == [[]] * len(errors)
    assert Rejected(EVIL).content == EVIL


async def test_no_entry_forges_a_line(
    face: Face, stream: str, raw: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    def handle(request: Any) -> None:
        seen.extend((repr(request), str(request)))
        raise ValueError("no")

    await face.connected(stream, "stock", handle)
    with caplog.at_level(logging.DEBUG):
        for fields in ENTRIES:
            raw.xadd(stream, fields)
        await until(lambda: len([r for r in caplog.records if r.levelno >= logging.ERROR]) >= len(ENTRIES))
    lines = [record.getMessage() for record in caplog.records]
    assert [unsafe(line) for line in lines + seen] == [[]] * len(lines + seen)


async def test_the_names_of_groups_forge_none_in_a_timeout(face: Face, stream: str, raw: redis.Redis) -> None:
    web = await face.connected(stream, "web")
    raw.xgroup_create(stream, EVIL, mkstream=True)
    with pytest.raises(RequestTimeout) as caught:
        await face.call(web.request, 1, to="nobody", timeout=0.5)
    assert "groups here" in str(caught.value)
    assert unsafe(str(caught.value)) == []
