"""Judges for a whole run what a testee's processes claim at their start, and how they end."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..testee.errors import TesteeUnusable
from ..testee.process import TesteeProcess
from ..text import shorten

MARK = "REDISIPC_CONFORMANCE_RUN"
"""A variable in the environment of every testee. Processes that a testee starts inherit it, in any session."""


class Goodbyes:
    """Of all processes of one run."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(8)
        self._hello: Mapping[str, Any] | None = None
        self._gone: dict[int, TesteeProcess] = {}
        self._left: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        """That of a testee."""
        return {**os.environ, MARK: self._token}

    def greeted(self, hello: Mapping[str, Any]) -> None:
        """Raises TesteeUnusable if a process claims something else than the first one did."""
        first = self._hello = self._hello or dict(hello)
        differing = sorted(key for key in {*first, *hello} if first.get(key) != hello.get(key))
        if differing:
            key = differing[0]
            told = f"{shorten(repr(first.get(key)))} and then {shorten(repr(hello.get(key)))}"
            raise TesteeUnusable(
                f"two of its processes say hello differently: {key} is {told}; each must claim the same"
            )

    def left(self, process: TesteeProcess) -> None:
        """The process has ended. A second call for it changes nothing."""
        self._gone[id(process)] = process

    def sweep(self) -> None:
        """Ends processes that the testee's processes started and left behind."""
        for pid, name in self._children():
            self._left.append(f"{name} ({pid})")
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _children(self) -> Iterator[tuple[int, str]]:
        mark = f"{MARK}={self._token}".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name), (folder / "comm").read_text("utf-8", "replace").strip()
            except OSError:
                continue  # it has ended, or belongs to another user

    def notes(self) -> tuple[str, ...]:
        """Sentences for the report that do not make the run fail."""
        found = []
        if lingered := sum(process.lingered for process in self._gone.values()):
            told = (
                f"{lingered} of {len(self._gone)} processes of the testee still ran 2 s after shutdown, and were killed"
            )
            found.append(f"{told}. Check what keeps them: redisipc-conformance check-testee")
        if self._left:
            names = ", ".join(self._left[:5]) + (", ..." if len(self._left) > 5 else "")
            found.append(f"the testee left {len(self._left)} processes behind, which were killed: {names}")
        return tuple(found)

    def wrong(self) -> tuple[str, str, str] | None:
        """The bad ends: a sentence for each kind, and a stderr. None if every process ended well."""
        wrong = [process for process in self._gone.values() if process.farewell]
        if not wrong:
            return None
        ways = Counter(process.farewell for process in wrong)
        seen = "; ".join(f"{count} times: {how}" for how, count in ways.most_common(3))
        message = f"{len(wrong)} of {len(self._gone)} processes did not end well: {seen}"
        return message, seen, wrong[0].stderr[-2000:]
