"""Reads the stream as it grows, beside all groups, and counts what was deleted before it could be read."""

from __future__ import annotations

from time import monotonic
from typing import Any

from redisipc.cli.exits import REDIS, Problem
from redisipc.cli.look.stream import fields, no_stream, text
from redisipc.cli.redis.client import Client
from redisipc.protocol.commands import Failure
from redisipc.protocol.replies import id_parts, read_entries

READ_PAGE = 1000


class Reader:
    """From now on. ``missed``: entries that came and were gone, None where Redis does not count (before 7.0)."""

    def __init__(self, client: Client, stream: str) -> None:
        self._client = client
        self._stream = stream
        self.seen: int = 0
        about = self._about()
        self._last: bytes = about["last-generated-id"]
        self._base: int | None = about.get("entries-added")
        self.missed: int | None = None if self._base is None else 0
        self._check: tuple[int, tuple[int, int]] | None = None
        self._checked_at = monotonic()
        self._link = client.open()

    def read(self, block: float) -> list[Any]:
        """The entries that came, after at most ``block`` seconds: rows of an ID and fields."""
        milliseconds = max(1, int(block * 1000))
        command = ("XREAD", "COUNT", READ_PAGE, "BLOCK", milliseconds, "STREAMS", self._stream, self._last)
        try:
            [reply] = self._link.exchange([command], monotonic() + block + self._client.limit)
        except OSError as error:
            raise self._client.away(error) from error
        if isinstance(reply, Failure):
            if reply.kind in ("UNBLOCKED", "NOGROUP"):
                return []
            raise self._client.refused(reply)
        rows = read_entries(reply)
        self._count(rows)
        if monotonic() - self._checked_at >= 1.0 or (not rows and self._check is None):
            self._look()
        return rows

    def finish(self) -> list[Any]:
        """The entries that came until now, so that the count is exact."""
        self._look()
        rows: list[Any] = []
        while page := self.read(0.001):
            rows += page
            if self._check is None:
                break
        return rows

    def _count(self, rows: list[Any]) -> None:
        for row in rows:
            if self._check is not None and id_parts(row[0]) > self._check[1]:
                self._settle()
            self.seen += 1
        if rows:
            self._last = rows[-1][0]
        elif self._check is not None:
            self._settle()

    def _settle(self) -> None:
        """All entries up to the one that was the last at the check have been read, or never will be."""
        assert self._check is not None
        added, _ = self._check
        self._check = None
        if self._base is not None:
            self.missed = max(self.missed or 0, added - self._base - self.seen)

    def _look(self) -> None:
        self._checked_at = monotonic()
        if self._base is None or self._check is not None:
            return
        try:
            about = self._about()
        except Problem as problem:
            if problem.status == REDIS:
                raise
            return
        last, added = about["last-generated-id"], about["entries-added"]
        if id_parts(last) < id_parts(self._last):
            # The stream was made again, and its IDs began again.
            self._last, self._base, self.seen = b"0", 0, 0
            return
        self._check = (added, id_parts(last))

    def _about(self) -> dict[str, Any]:
        reply = self._client.ask("XINFO", "STREAM", self._stream, least=False)
        if isinstance(reply, Failure):
            if "no such key" in text(reply.message):
                raise no_stream(self._client, self._stream)
            raise self._client.refused(reply)
        return fields(reply)

    def close(self) -> None:
        self._link.close()
