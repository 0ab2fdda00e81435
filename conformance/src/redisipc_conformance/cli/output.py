"""Standard output that may be closed by its reader, or be unable to show a character, without changing the verdict."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


class Steady:
    """Writes on to nowhere when the reader (``head``, ``less``) has gone: the run ends with its own exit code."""

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
