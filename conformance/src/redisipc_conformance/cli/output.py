"""Standard output. The verdict stays the same if the reader closes it, or if it cannot show a character."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


class Steady:
    """Discards the output once the reader (``head``, ``less``) has gone. The run still ends with its own exit code."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._to_nowhere()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._to_nowhere()

    def _to_nowhere(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def steady_stdout() -> Any:
    """A stand-in for ``sys.stdout``."""
    return Steady(sys.stdout)
