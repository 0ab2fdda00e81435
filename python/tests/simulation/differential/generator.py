"""Random commands: what the core emits and what lies around it, on few names so that they meet."""

from __future__ import annotations

import random
from collections.abc import Callable

from redisipc.protocol.commands import Arg, Command

STREAM, OTHER = b"s", b"t"
GROUPS = (b"g0", b"g1", b"g2")
CONSUMERS = (b"c0", b"c1", b"c2", b"c3")
LISTS = (b"l0", b"l1")
STRINGS = (b"k0", b"k1")
IDLES = (0, 5_000, 20_000, 60_000, 86_400_000, 315_360_000_000, 630_720_000_000)
"""Milliseconds, far enough apart that the run's own time never matters."""


class Generator:
    """Makes one command after the other; ``saw`` tells it the IDs that the server made."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.ids: list[bytes] = [b"1-1"]
        weighted: list[tuple[int, Callable[[], Command]]] = [
            (22, self._add), (18, self._read_new), (8, self._read_own), (8, self._ack), (7, self._delete),
            (12, self._claim), (6, self._autoclaim), (8, self._pending), (4, self._range), (4, self._info),
            (4, self._group), (6, self._list), (5, self._string), (1, self._rare),
        ]  # fmt: skip
        self._makers = [maker for _, maker in weighted]
        self._weights = [weight for weight, _ in weighted]

    def saw(self, id: bytes) -> None:
        self.ids.append(id)
        del self.ids[:-30]

    def next(self) -> list[Command]:
        """One command, or a transaction of some."""
        if self.random.random() < 0.06:
            inner = [self._one() for _ in range(self.random.randint(1, 4))]
            if self.random.random() < 0.1:
                inner.insert(0, ("NOSUCHCOMMAND",))
            return [("MULTI",), *inner, (self.random.choice(("EXEC", "EXEC", "EXEC", "DISCARD")),)]
        return [self._one()]

    def _one(self) -> Command:
        return self.random.choices(self._makers, self._weights)[0]()

    def _pick(self, options: tuple[bytes, ...]) -> bytes:
        return self.random.choice(options)

    def _id(self) -> bytes:
        return self.random.choice(self.ids)

    def _ids(self) -> list[bytes]:
        return [self._id() for _ in range(self.random.randint(1, 4))]

    def _names(self) -> tuple[bytes, bytes, bytes]:
        group = self._pick(GROUPS) if self.random.random() < 0.98 else b"nobody"
        return STREAM if self.random.random() < 0.99 else OTHER, group, self._pick(CONSUMERS)

    def _add(self) -> Command:
        fields: list[Arg] = [b"f", b"%d" % self.random.randint(0, 9)]
        if self.random.random() < 0.8:
            return ("XADD", STREAM, "NOMKSTREAM", "*", *fields)
        if self.random.random() < 0.1:
            return ("XADD", STREAM, self._id(), *fields)
        if self.random.random() < 0.05:
            return ("XADD", STREAM, *self._limit(), "*", *fields)
        return ("XADD", STREAM, "*", *fields)

    def _limit(self) -> tuple[Arg, ...]:
        exact: tuple[Arg, ...] = ("=",) if self.random.random() < 0.5 else ()
        if self.random.random() < 0.5:
            return ("MINID", *exact, self._id())
        return ("MAXLEN", *exact, self.random.randint(-1, 30))

    def _read_new(self) -> Command:
        stream, group, consumer = self._names()
        count: tuple[Arg, ...] = ("COUNT", self.random.randint(1, 3)) if self.random.random() < 0.8 else ()
        return ("XREADGROUP", "GROUP", group, consumer, *count, "STREAMS", stream, ">")

    def _read_own(self) -> Command:
        stream, group, consumer = self._names()
        start = b"0" if self.random.random() < 0.7 else self._id()
        return ("XREADGROUP", "GROUP", group, consumer, "COUNT", self.random.randint(1, 5), "STREAMS", stream, start)

    def _ack(self) -> Command:
        stream, group, _ = self._names()
        return ("XACK", stream, group, *self._ids())

    def _delete(self) -> Command:
        return ("XDEL", STREAM, *self._ids())

    def _claim(self) -> Command:
        stream, group, consumer = self._names()
        options: list[Arg] = []
        if self.random.random() < 0.4:
            options += ["IDLE", self.random.choice(IDLES)]
        elif self.random.random() < 0.2:
            options += ["TIME", self.random.choice((1, 2_000_000_000_000_000))]
        if self.random.random() < 0.4:
            options += ["RETRYCOUNT", self.random.randint(0, 5)]
        if self.random.random() < 0.15:
            options.append("FORCE")
        if self.random.random() < 0.7:
            options.append("JUSTID")
        return ("XCLAIM", stream, group, consumer, self.random.choice(IDLES), *self._ids(), *options)

    def _autoclaim(self) -> Command:
        stream, group, consumer = self._names()
        options: list[Arg] = ["COUNT", self.random.randint(1, 3)] if self.random.random() < 0.8 else []
        if self.random.random() < 0.3:
            options.append("JUSTID")
        start = b"0-0" if self.random.random() < 0.7 else self._id()
        return ("XAUTOCLAIM", stream, group, consumer, self.random.choice(IDLES), start, *options)

    def _bounds(self) -> tuple[bytes, bytes]:
        start = self.random.choice((b"-", b"-", self._id(), b"(" + self._id()))
        end = self.random.choice((b"+", b"+", self._id(), b"(" + self._id()))
        return start, end

    def _pending(self) -> Command:
        stream, group, consumer = self._names()
        if self.random.random() < 0.25:
            return ("XPENDING", stream, group)
        idle: tuple[Arg, ...] = ("IDLE", self.random.choice(IDLES)) if self.random.random() < 0.5 else ()
        whose = (consumer,) if self.random.random() < 0.4 else ()
        if self.random.random() < 0.2:
            id = self._id()
            return ("XPENDING", stream, group, *idle, id, id, 1, *whose)
        return ("XPENDING", stream, group, *idle, *self._bounds(), self.random.randint(1, 20), *whose)

    def _range(self) -> Command:
        if self.random.random() < 0.2:
            return ("XLEN", STREAM)
        if self.random.random() < 0.3:
            id = self._id()
            return ("XRANGE", STREAM, id, id)
        count: tuple[Arg, ...] = ("COUNT", self.random.randint(0, 5)) if self.random.random() < 0.5 else ()
        start, end = self._bounds()
        if self.random.random() < 0.3:
            return ("XREVRANGE", STREAM, end, start, *count)
        return ("XRANGE", STREAM, start, end, *count)

    def _info(self) -> Command:
        kind = self.random.choice(("STREAM", "GROUPS", "CONSUMERS"))
        if kind == "CONSUMERS":
            return ("XINFO", kind, STREAM, self._names()[1])
        return ("XINFO", kind, STREAM)

    def _group(self) -> Command:
        stream, group, consumer = self._names()
        action = self.random.choices(("CREATE", "CREATECONSUMER", "DELCONSUMER", "SETID", "DESTROY"), (8, 5, 2, 2, 1))[
            0
        ]
        if action == "CREATE":
            make: tuple[Arg, ...] = ("MKSTREAM",) if self.random.random() < 0.9 else ()
            start = self.random.choice((b"$", b"$", b"0", self._id(), b"9999999999999-0"))
            return ("XGROUP", "CREATE", stream, group, start, *make)
        if action == "SETID":
            return ("XGROUP", "SETID", stream, group, self.random.choice((b"$", b"0", self._id())))
        if action == "DESTROY":
            return ("XGROUP", "DESTROY", stream, group)
        return ("XGROUP", action, stream, group, consumer)

    def _list(self) -> Command:
        key, value = self._pick(LISTS), self._pick(CONSUMERS)
        return self.random.choice(
            [
                ("LPUSH", key, value), ("LPUSH", key, value), ("LRANGE", key, 0, -1),
                ("LRANGE", key, self.random.randint(-3, 3), self.random.randint(-3, 3)),
                ("LREM", key, self.random.randint(-2, 2), value), ("EXPIRE", key, 100), ("EXISTS", key, b"k0"),
            ]
        )  # fmt: skip

    def _string(self) -> Command:
        key = self._pick(STRINGS)
        return self.random.choice(
            [
                ("SET", key, b"v", "EX", 100), ("SET", key, b"w"), ("GET", key), ("TTL", key), ("DEL", key),
                ("EXPIRE", key, 100), ("GET", b"l0"), ("PUBLISH", b"channel", b""),
            ]
        )  # fmt: skip

    def _rare(self) -> Command:
        return self.random.choice(
            [
                ("DEL", STREAM), ("XTRIM", STREAM, *self._limit()), ("XADD", b"l0", "*", b"f", b"1"),
                ("XCLAIM", STREAM, b"g0", b"c0", b"x", b"1-1"), ("XRANGE", STREAM, b"wrong", b"+"),
                ("XDEL", STREAM, b"wrong"), ("XACK", STREAM, b"g0", b"wrong"),
            ]
        )  # fmt: skip
