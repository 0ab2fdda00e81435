"""Command patterns: `XCLAIM ${stream} a * 0 * JUSTID`, each word a glob for one argument, `...` for any number of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from .resp import Arg, to_bytes

_GLOB = re.compile(rb"[*?\[]")


@lru_cache(maxsize=4096)
def _glob(word: bytes, ignore_case: bool) -> re.Pattern[bytes]:
    out = [
        b".*" if c == b"*" else b"." if c == b"?" else re.escape(c) for c in (word[i : i + 1] for i in range(len(word)))
    ]
    return re.compile(b"".join(out) + b"\\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@dataclass(frozen=True)
class Pattern:
    """Matches from the first argument on. Arguments behind the pattern may be anything."""

    words: tuple[bytes, ...]

    @classmethod
    def of(cls, value: str | Sequence[Arg]) -> Pattern:
        """From a string of words, or a list where an argument has spaces."""
        if isinstance(value, str):
            return cls(tuple(word.encode() for word in value.split()))
        return cls(tuple(to_bytes(word) for word in value))

    def matches(self, args: Sequence[bytes]) -> bool:
        return self._match(0, args, 0)

    def _match(self, word: int, args: Sequence[bytes], at: int) -> bool:
        while word < len(self.words):
            if self.words[word] == b"...":
                rest = word + 1
                return rest == len(self.words) or any(self._match(rest, args, i) for i in range(at, len(args) + 1))
            if at >= len(args) or not self._word(self.words[word], args[at], first=at == 0):
                return False
            word += 1
            at += 1
        return True

    @staticmethod
    def _word(word: bytes, arg: bytes, *, first: bool) -> bool:
        # Options (JUSTID, IDLE, BLOCK) may be written in either case, names may not: an upper-case word of the
        # pattern stands for a keyword.
        keyword = first or (word.isalpha() and word.isupper())
        if word == b"*":
            return True
        if _GLOB.search(word):
            return _glob(word, keyword).match(arg) is not None
        return word.upper() == arg.upper() if keyword else word == arg

    def __str__(self) -> str:
        return " ".join(word.decode(errors="replace") for word in self.words)
