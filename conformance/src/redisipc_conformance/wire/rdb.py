"""The format of DUMP and RESTORE for a stream: finds the last-seen times of its consumers.

It is RDB's stream type. This file understands only what must be skipped and what is changed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

PLAIN, WITH_OFFSETS, WITH_ACTIVE_TIME = 15, 19, 21
_POLYNOMIAL = 0x95AC9329AC4BC9B5


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()


def crc64(data: bytes) -> int:
    """The checksum at the end of a dump (CRC-64 Jones)."""
    crc = 0
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def length(self) -> int:
        first = self.take(1)[0]
        kind = first >> 6
        if kind == 0:
            return first & 0x3F
        if kind == 1:
            return ((first & 0x3F) << 8) | self.take(1)[0]
        if first == 0x80:
            return int.from_bytes(self.take(4), "big")
        if first == 0x81:
            return int.from_bytes(self.take(8), "big")
        raise ValueError(f"a length begins with {first:#x}")

    def string(self) -> bytes:
        first = self.data[self.at]
        if first >> 6 != 3:
            return self.take(self.length())
        self.at += 1
        encoding = first & 0x3F
        if encoding < 3:
            width = (1, 2, 4)[encoding]
            return str(int.from_bytes(self.take(width), "little", signed=True)).encode()
        if encoding != 3:
            raise ValueError(f"a string of encoding {encoding}")
        packed, size = self.length(), self.length()
        return _unpack(self.take(packed), size)


def _unpack(data: bytes, size: int) -> bytes:
    """LZF."""
    out = bytearray()
    at = 0
    while at < len(data):
        control = data[at]
        at += 1
        if control < 32:
            out += data[at : at + control + 1]
            at += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += data[at]
            at += 1
        back = len(out) - (((control & 0x1F) << 8) | data[at]) - 1
        at += 1
        for _ in range(length + 2):
            out.append(out[back])
            back += 1
    if len(out) != size:
        raise ValueError("a compressed string of another length than it says")
    return bytes(out)


def seen_times(dump: bytes, group: bytes) -> Iterator[tuple[bytes, int]]:
    """Each consumer of the group with the position of its last-seen time; once more for its last-active time."""
    reader = _Reader(dump)
    kind = reader.take(1)[0]
    if kind not in (PLAIN, WITH_OFFSETS, WITH_ACTIVE_TIME):
        raise ValueError(f"the stream is of the unknown type {kind}")
    for _ in range(reader.length()):
        reader.string()
        reader.string()
    for _ in range(3 if kind == PLAIN else 8):
        reader.length()
    for _ in range(reader.length()):
        name = reader.string()
        for _ in range(2 if kind == PLAIN else 3):
            reader.length()
        for _ in range(reader.length()):
            reader.take(24)
            reader.length()
        for _ in range(reader.length()):
            consumer = reader.string()
            for _ in range(2 if kind == WITH_ACTIVE_TIME else 1):
                if name == group:
                    yield consumer, reader.at
                reader.take(8)
            reader.take(16 * reader.length())


def older(dump: bytes, group: bytes, milliseconds: int) -> tuple[bytes, int]:
    """The dump with the group's consumers made so much older, and their number."""
    changed = bytearray(dump)
    names = set()
    for consumer, at in seen_times(dump, group):
        (then,) = struct.unpack_from("<q", changed, at)
        if then > 0:
            struct.pack_into("<q", changed, at, then - milliseconds)
        names.add(consumer)
    body = bytes(changed[:-8])
    return body + struct.pack("<Q", crc64(body)), len(names)
