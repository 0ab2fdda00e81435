"""Text for people: one line of readable length."""

from __future__ import annotations

import re

ARGUMENT_LENGTH = 400
"""The most characters of a line that are shown, since content can have megabytes."""


def without_links(sentence: str) -> str:
    """A sentence of SPEC.md for a reader who has no links: each link is its text alone, and nothing is bold."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", sentence).replace("**", "")


def shorten(text: str, length: int = ARGUMENT_LENGTH) -> str:
    """The text in one line of at most so many characters, and how many were cut."""
    text = text.replace("\r", "\\r").replace("\n", "\\n")
    cut = len(text) - length
    if cut <= 20:
        return text
    return f"{text[: length - 20]} ...({cut + 20} more)"
