"""An instance that looks on the wire like one of the gem 1.0.2, made of raw commands: no announcement, lists of 100 s,
consumers that read every moment. See SPEC.md, appendix A, and ``interop/fixtures``.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable

import redis


class Gem:
    """Two dispatchers and two consumers. ``answer`` gives a content for a content; None: it never answers."""

    def __init__(
        self, client: redis.Redis, stream: str, group: str, answer: Callable[[bytes], bytes] | None = lambda text: text,
        serves: bool = True,
    ) -> None:  # fmt: skip
        self.id = secrets.token_hex(3)
        self.stream, self.group = stream, group
        self.list = f"{stream}:{group}:{self.id}:consumers"
        self.dispatcher = f"dispatcher_{self.id}_0"
        self._answer = answer
        self._client = client
        self._stopping = threading.Event()
        with contextlib.suppress(redis.ResponseError):  # BUSYGROUP
            client.xgroup_create(stream, group, "$", mkstream=True)
        for number in range(2):
            client.execute_command("XGROUP", "CREATECONSUMER", stream, group, f"dispatcher_{self.id}_{number}")
            client.execute_command("XGROUP", "CREATECONSUMER", stream, group, f"consumer_{self.id}_{number}")
            client.lpush(self.list, f"consumer_{self.id}_{number}")
        self.refresh()
        self._thread = threading.Thread(target=self._read, daemon=True)
        if serves:
            self._thread.start()

    def refresh(self) -> None:
        """As each of its reads does (GEM-9, GEM-28)."""
        self._client.expire(self.list, 100)
        self._client.expire(self.stream, 604_800_000)

    def stop(self) -> None:
        """It leaves its consumers behind (GEM-33)."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _read(self) -> None:
        client, stream, group = self._client, self.stream, self.group
        while not self._stopping.is_set():
            try:
                self.refresh()
                reply = client.xreadgroup(group, self.dispatcher, {stream: ">"}, count=1, block=50)
            except redis.ResponseError:
                return
            for id, fields in reply[0][1] if reply else ():
                if fields.get(b"destination_group") != group.encode() or len(fields) != 6:
                    if len(fields) == 6:
                        client.xack(stream, group, id)
                elif fields[b"status"] == b"pending" and self._answer is not None:
                    fields[b"content"] = self._answer(fields[b"content"])
                    fields[b"status"] = b"fulfilled"
                    fields[b"source_group"], fields[b"destination_group"] = group, fields[b"source_group"]
                    client.xadd(stream, fields)
                    client.xack(stream, group, id)
                    client.xdel(stream, id)
