"""Counts which member handed responses over for which one, from the commands that Redis received (MONITOR)."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import Counter

import redis

_OWNER = re.compile(r"^(?:consumer|dispatcher)_([0-9a-f]+)_\d+$")
_ENTRY_ID = re.compile(r"^\d+-\d+$")
_LIST = re.compile(r":([0-9a-f]+):consumers$")


class Handovers:
    """Watches one stream until it is closed. ``counted[reader, owner]``: entries that ``reader`` claimed for ``owner``."""

    def __init__(self, url: str, stream: str) -> None:
        self.stream = stream
        self.counted: Counter[tuple[str, str]] = Counter()
        self._owner_of: dict[str, str] = {}
        self._client = redis.Redis.from_url(url)
        self._mark = f"{stream}:watched"
        self._seen = threading.Event()
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        self._began.wait(10)

    def close(self) -> None:
        """Waits until everything that Redis has received is counted."""
        with contextlib.suppress(redis.RedisError):
            self._client.get(self._mark)
        if not self._seen.wait(30):
            raise TimeoutError("MONITOR did not show the mark")
        self._client.close()

    def _watch(self) -> None:
        with self._client.monitor() as monitor:  # type: ignore[no-untyped-call]
            self._began.set()
            for told in monitor.listen():
                words = told["command"].split(" ")
                if words == ["GET", self._mark]:
                    self._seen.set()
                    return
                if len(words) > 2 and self.stream in told["command"]:
                    self._note(f"{told['client_address']}:{told['client_port']}", words)

    def _note(self, address: str, words: list[str]) -> None:
        word = words[0].upper()
        if word == "XCLAIM":
            owner = _instance(words[3])
            reader = self._owner_of.get(address)
            if owner and reader and owner != reader:
                self.counted[reader, owner] += sum(bool(_ENTRY_ID.match(word)) for word in words[5:])
            return
        own = {"XREADGROUP": 3, "XAUTOCLAIM": 3, "XGROUP": 4}.get(word)
        found = _instance(words[own]) if own and len(words) > own else None
        if word in ("EXPIRE", "LPUSH") and (key := _LIST.search(words[1])):
            found = key.group(1)
        if found:
            self._owner_of[address] = found


def _instance(consumer: str) -> str | None:
    match = _OWNER.match(consumer)
    return match.group(1) if match else None


def wait_until_quiet(url: str, stream: str, seconds: float = 15) -> int:
    """How many entries are left on the stream when it is empty or the time is over."""
    with redis.Redis.from_url(url) as client:
        end = time.monotonic() + seconds
        while (left := client.xlen(stream)) and time.monotonic() < end:
            time.sleep(0.05)
        return int(left)
