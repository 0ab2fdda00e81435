"""The first inputs: recorded entries and contents in the form that a target reads, and inputs of earlier defects."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from redisipc.protocol.entry import build

from .separators import ENTRY, FIELD

KEPT = Path(__file__).parents[1] / "kept"
"""Inputs that once showed a defect, one file each, named ``<target>-<what>``."""

_ROOT = Path(__file__).parents[2]
_REPLIES = (
    b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$2\r\nid\r\n$1\r\nx\r\n",
    b"*3\r\n:1\r\n-NOGROUP no such group\r\n*-1\r\n",
    b"$-1\r\n+OK\r\n*0\r\n:-9223372036854775808\r\n$0\r\n\r\n",
)
_ANNOUNCED = b'{"spec": "1.0", "implementation": "x", "version": "1", "language": "y", "features": ["wakeup"]}'


def seeds(target: str) -> list[bytes]:
    """The first inputs of a target, valid and malformed ones."""
    kept = [path.read_bytes() for path in sorted(KEPT.glob(f"{target}-*"))]
    return kept + list(_SEEDS[target]())


def _replies() -> Iterable[bytes]:
    return (b"\x00" + text for text in _REPLIES)


def _entries() -> Iterable[bytes]:
    id = b"0123456789abcdef01234"
    for status in (b"pending", b"fulfilled", b"rejected"):
        for source, destination in ((b"peer", b"web"), (b"web", b"peer"), (b"peer", b"")):
            yield FIELD.join(build(id, b"abcdef", status, b'{"sku":1}', source, destination))


def _endpoint() -> Iterable[bytes]:
    entries = list(_entries())
    return [*entries, ENTRY.join(entries[:8]), b""]


def _contents() -> Iterable[bytes]:
    vectors = _ROOT / "conformance" / "vectors" / "content.json"
    yield from (b'{"a":[1,2.5,null]}', b'"\\ud800"', b" true", b"[" * 120, b"1e400", b"\xff\xfe", b"")
    if vectors.is_file():
        for each in json.loads(vectors.read_text(encoding="utf-8"))["cases"]:
            if isinstance(each.get("text"), str):
                yield each["text"].encode("utf-8", "surrogatepass")


def _siblings() -> Iterable[bytes]:
    yield FIELD.join((b"consumer_abcdef_0", b"consumer_abcdef_1")) + ENTRY + _ANNOUNCED
    yield b"consumer_abcdef_0" + ENTRY + b'{"features": {"wakeup": 1}}'
    yield ENTRY + b"[" * 2000


def _channel() -> Iterable[bytes]:
    yield b'{"event": "level", "params": {"sku": 1, "unit": null}, "meta": {"timeout_ms": 5}}'
    yield b'{"event": ["level"], "params": []}'
    yield b'{"event": "constructor", "params": {"__proto__": {}}}'


def _messages() -> Iterable[bytes]:
    for path in sorted((_ROOT / "schemas" / "1.0" / "examples" / "testee").rglob("valid-*.json")):
        yield json.dumps(json.loads(path.read_text(encoding="utf-8"))).encode()
    yield b'{"jsonrpc":"2.0","id":1,"result":{}}'
    yield b'{"jsonrpc":"2.0","method":"received","params":{"endpoint":"a","request":"r","content":1}}'


def _scenarios() -> Iterable[bytes]:
    for path in sorted((_ROOT / "conformance" / "scenarios").rglob("*.yaml"))[::12]:
        yield path.read_bytes()


def _known() -> Iterable[bytes]:
    yield b"known_failures:\n  - id: a/b/c\n    reason: because\n    when: {redis: '>=7.0'}\n"
    yield (_ROOT / "interop" / "ruby" / "known-failures.yaml").read_bytes()[:2000]


def _reports() -> Iterable[bytes]:
    for path in sorted((_ROOT / "schemas" / "report-1" / "examples" / "report").glob("valid-*.json")):
        yield path.read_bytes()
    yield b'{"format": "1.0", "problems": [], "requirements": [], "runs": []}'


def _matrices() -> Iterable[bytes]:
    yield b'{"cells": [{"scene": "asks", "who": ["a", "b"], "held": true, "lines": []}], "absent": {"ruby": "no gem"}}'


_SEEDS = {
    "frame": _replies,
    "message": _messages,
    "scenario": _scenarios,
    "known": _known,
    "report": _reports,
    "matrix": _matrices,
    "reply": _replies,
    "entry": _entries,
    "content": _contents,
    "endpoint": _endpoint,
    "siblings": _siblings,
    "channel": _channel,
}
