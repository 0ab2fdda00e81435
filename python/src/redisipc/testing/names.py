"""The names of clients on a hub, and contents as a line of text."""

from __future__ import annotations


def who(name: str) -> str:
    """``group/instance`` of a connection's name."""
    parts = name.rsplit(":", 2)
    if len(parts) != 3 or not name.startswith("redisipc:"):
        return name or "?"
    # A connection's name has the stream before the group, except for a peer of the hub.
    group = parts[0].removeprefix("redisipc:").rpartition(":")[2]
    return f"caller/{parts[2]}" if parts[1] == "caller" else f"{group}/{parts[1]}"


def short(content: bytes, most: int = 60) -> str:
    """A content in a line of a story."""
    text = content[:most].decode("utf-8", "replace")
    return text if len(content) <= most else f"{text}..."
