"""From where instances are connected: by the names of their connections in CLIENT LIST. Gems give none."""

from __future__ import annotations

import re

from redisipc.cli.redis.client import Client


def rows(client: Client) -> list[dict[str, str]]:
    """CLIENT LIST; empty without the right."""
    [reply] = client.batch([("CLIENT", "LIST")])
    if not isinstance(reply, bytes):
        return []
    lines = reply.decode("utf-8", "replace").splitlines()
    return [dict(part.partition("=")[::2] for part in line.split(" ") if "=" in part) for line in lines]


def instance_in(name: str) -> str | None:
    """The instance that a connection's name has: ``redisipc:<stream>:<group>:<instance>:<connection>``."""
    parts = name.rsplit(":", 2)
    return parts[1] if len(parts) == 3 and parts[0].startswith("redisipc:") else None


def group_in(name: str, stream: str) -> str | None:
    """The group of a connection on ``stream``; None for any other connection. In a name only ``!`` to ``~`` stand."""
    start = "redisipc:" + re.sub(r"[^!-~]", "_", stream) + ":"
    parts = name.removeprefix(start).rsplit(":", 2)
    return parts[0] if name.startswith(start) and len(parts) == 3 else None


def hosts(client: Client) -> dict[str, str]:
    """The host of each instance that names its connections."""
    named = [(instance_in(row.get("name", "")), row.get("addr", "").rpartition(":")[0]) for row in rows(client)]
    return {instance: host for instance, host in named if instance}
