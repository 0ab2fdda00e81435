"""A gate in front of Redis that cuts a connection when a command passes it, or swallows what Redis answers."""

from __future__ import annotations

import socket
import threading
from typing import Any
from urllib.parse import urlsplit

_KINDS = {b"BLOCK": "read", b"SUBSCRIBE": "listen"}
"""The purpose of a connection by a word that passes only there. Any other one is for writing."""


class Gate:
    """``url`` leads through it. ``armed`` is (word, what): what happens to the connection on which the word passes next.

    ``before``: cut, and Redis never sees the command. ``after``: Redis executes it, and the connection is cut when it answers.
    ``silent``: Redis executes it, and nothing comes back any more.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = (parts.hostname or "localhost", parts.port or 6379)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self.armed: tuple[bytes, str] | None = None
        self.limit = 0
        """Bytes of replies to one request from which on the connection is cut; 0 for no limit."""
        self.connections = self.breaks = 0
        self.open = True
        self._sockets: list[socket.socket] = []
        self._states: list[dict[str, Any]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self.open:
                near.close()
                continue
            self.connections += 1
            far = socket.create_connection(self._to)
            self._sockets += [near, far]
            state: dict[str, Any] = {"what": None, "came": 0, "kind": "write", "dead": False}
            self._states.append(state)
            threading.Thread(target=self._inward, args=(near, far, state), daemon=True).start()
            threading.Thread(target=self._outward, args=(near, far, state), daemon=True).start()

    def _inward(self, near: socket.socket, far: socket.socket, state: dict[str, Any]) -> None:
        while data := _receive(near):
            state["came"] = 0
            if state["dead"]:
                continue
            for word, kind in _KINDS.items():
                if word in data:
                    state["kind"] = kind
            if self.armed is not None and self.armed[0] in data:
                state["what"], self.armed = self.armed[1], None
                if state["what"] == "before":
                    break
            far.sendall(data)
        _shut(near, far)

    def _outward(self, near: socket.socket, far: socket.socket, state: dict[str, Any]) -> None:
        while data := _receive(far):
            if state["what"] == "after":
                break
            state["came"] += len(data)
            if 0 < self.limit <= state["came"]:
                self.breaks += 1
                break
            if state["what"] != "silent" and not state["dead"]:
                near.sendall(data)
        _shut(near, far)

    def has(self, kind: str) -> bool:
        """Whether a connection of this kind leads through it."""
        return any(state["kind"] == kind for state in self._states)

    def die(self, kind: str) -> None:
        """Nothing passes any more over the connections of this kind, and neither side notices. New ones work."""
        for state in self._states:
            state["dead"] = state["dead"] or state["kind"] == kind

    def cut(self) -> None:
        """Break all connections, and refuse new ones until ``open`` is true."""
        self.open = False
        _shut(*self._sockets)

    def close(self) -> None:
        self._listener.close()
        _shut(*self._sockets)


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except OSError:
        return b""


def _shut(*sockets: socket.socket) -> None:
    for sock in sockets:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()
