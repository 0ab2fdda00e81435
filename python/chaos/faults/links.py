"""Faults of the links between one member and Redis, made by its tap."""

from __future__ import annotations

from typing import ClassVar

from redisipc_conformance.wire.fault import Deed
from redisipc_conformance.wire.fault import Fault as Armed
from redisipc_conformance.wire.pattern import Pattern
from redisipc_conformance.wire.tap import Tap

from .base import Fault, NotNow

READING = {b"XREADGROUP"}
LISTENING = {b"SUBSCRIBE"}


class LinkFault(Fault):
    """Hits one member that has a tap."""

    struck_at = "members"
    sites = ("plain", "tls")
    to_members = "cut off"
    after = 0.5

    async def prepare(self) -> None:
        await super().prepare()
        self.members = [self.choose()]

    @property
    def tap(self) -> Tap:
        tap = self.members[0].tap
        assert tap is not None
        return tap


class Cut(LinkFault):
    """Breaks all open connections; ``hit`` counts them."""

    how: ClassVar[str] = "reset"
    hit = 0

    async def strike(self) -> None:
        for member in self.members:
            assert member.tap is not None
            self.hit += member.tap.cut("reset" if self.how == "reset" else "close")

    async def proof(self) -> str:
        return f"{self.hit} connections cut" if self.hit else ""


class CutReset(Cut):
    name = "cut-reset"
    what = "All connections of a member break with an RST."


class CutClose(Cut):
    name = "cut-close"
    what = "All connections of a member are closed in order (FIN)."
    how = "close"


class CutAll(Cut):
    name = "cut-all"
    what = "The connections of all members break at once."

    async def prepare(self) -> None:
        await super().prepare()
        self.members = self.lab.free()


class CutSome(LinkFault):
    """Breaks only those connections of a member that have one purpose."""

    hit = 0

    async def prepare(self) -> None:
        await super().prepare()
        if not any(self.picks(link.last) for link in self.tap.links):
            raise NotNow(f"{self.members[0].name} has no such connection")

    def picks(self, last: bytes) -> bool:
        raise NotImplementedError

    async def strike(self) -> None:
        for link in [link for link in self.tap.links if self.picks(link.last)]:
            link.cut("reset")
            self.hit += 1

    async def proof(self) -> str:
        return f"{self.hit} of the member's connections cut" if self.hit else ""


class CutReader(CutSome):
    name = "cut-reader"
    what = "The connection on which a member reads breaks, the others stay."

    def picks(self, last: bytes) -> bool:
        return last in READING


class CutWriter(CutSome):
    name = "cut-writer"
    what = "The connection on which a member writes breaks, the others stay."

    def picks(self, last: bytes) -> bool:
        return last not in READING | LISTENING


class CutListener(CutSome):
    name = "cut-listener"
    what = "The connection on which a member hears wake-ups breaks."
    to_members = ""
    aim = 0.5

    def picks(self, last: bytes) -> bool:
        return last in LISTENING


class Spoil(LinkFault):
    """Breaks the connection at one command, a few times in a row."""

    do: ClassVar[Deed]
    commands: ClassVar[tuple[str, ...]] = ("XADD", "EXEC", "XACK", "XADD", "EXEC", "MULTI")
    seconds = (2.0, 3.0)

    async def strike(self) -> None:
        pattern = Pattern.of(self.random.choice(self.commands) + " ...")
        self._armed = Armed(pattern, self.do, times=self.random.choice((1, 1, 3, 8)))
        self.tap.arm(self._armed)

    async def proof(self) -> str:
        return f"{self._armed.struck} {self._armed.pattern} hit" if self._armed.struck else ""

    async def mend(self) -> None:
        self._armed.lift()
        if self._armed in self.tap.faults:
            self.tap.faults.remove(self._armed)


class CutBeforeWrite(Spoil):
    name = "cut-before-write"
    what = "The connection breaks before a command reaches Redis."
    do = "cut-before"


class CutAfterWrite(Spoil):
    name = "cut-after-write"
    what = "Redis executes a command, and the connection breaks before its reply."
    do = "drop-reply"


class CutWithinWrite(Spoil):
    name = "cut-within-write"
    what = "The connection breaks in the middle of a command."
    do = "cut-within"


class CutWithinReply(Spoil):
    name = "cut-within-reply"
    what = "The connection breaks in the middle of a reply."
    do = "reply-within"
    commands = ("XREADGROUP", "EXEC", "XADD", "XREADGROUP")


class CutBeforeRead(Spoil):
    name = "cut-before-read"
    what = "The connection breaks before a read reaches Redis."
    do = "cut-before"
    commands = ("XREADGROUP",)


class CutAfterRead(Spoil):
    name = "cut-after-read"
    what = "Redis gives entries to a member, and the connection breaks before they arrive."
    do = "drop-reply"
    commands = ("XREADGROUP",)


class CutAfterClaim(Spoil):
    name = "cut-after-claim"
    what = "Redis executes a claim (keep-alive, give-back, hand-over), and the connection breaks before its reply."
    do = "drop-reply"
    commands = ("XCLAIM",)


class Silent(LinkFault):
    """No byte passes, and neither side notices. Then the connection works again, or breaks."""

    breaks = False

    async def strike(self) -> None:
        self.tap.silence()
        self.breaks = self.length > 4.0 and self.random.random() < 0.5

    async def proof(self) -> str:
        held = sum(len(link.inbound) + len(link.replies) for link in self.tap.links)
        return f"{held} bytes held back" if held else ""

    async def mend(self) -> None:
        if self.breaks:
            self.tap.silent = False
            self.tap.cut("reset")
        self.tap.resume()


class SilentShort(Silent):
    name = "silent-short"
    what = "Nothing passes between a member and Redis for 3 s, and nobody notices."
    seconds = (2.5, 3.5)


class SilentLong(Silent):
    name = "silent-long"
    what = "Nothing passes for 7 to 14 s, and nobody notices; then it continues, or the connections break."
    seconds = (7.0, 14.0)
    quiet = 6.0
    after = 1.0


class HalfOpen(LinkFault):
    name = "half-open"
    what = "The connections die silently on both sides (a NAT forgot them); new ones work."
    seconds = (9.0, 9.0)
    quiet = 8.0
    aim = 6.0
    aim_from = "strike"
    hit = opened = 0

    async def strike(self) -> None:
        self.opened = self.tap.opened
        self.hit = self.tap.forget()

    async def proof(self) -> str:
        new = self.tap.opened - self.opened
        return f"{self.hit} connections half open, {new} opened again" if self.hit and new else ""

    async def mend(self) -> None:
        self.tap.end_forgotten()


class Slow(LinkFault):
    """The connections of a member are slow."""

    rate: ClassVar[int] = 0
    delay: ClassVar[tuple[float, float]] = (0.0, 0.0)
    aim = 2.0
    after = 1.0
    seconds = (8.0, 10.0)

    async def strike(self) -> None:
        for member in self.members:
            assert member.tap is not None
            member.tap.pace.rate = self.rate
            member.tap.pace.delay = self.random.uniform(*self.delay)
        self._late = self._portions()

    def _portions(self) -> int:
        return sum(member.tap.pace.late for member in self.members if member.tap is not None)

    async def proof(self) -> str:
        late = self._portions() - self._late
        return f"{late} portions came late" if late else ""

    async def mend(self) -> None:
        for member in self.members:
            assert member.tap is not None
            member.tap.pace.rate = 0
            member.tap.pace.delay = 0.0


class SlowLink(Slow):
    name = "slow-link"
    what = "A member's link carries 6,000 bytes a second."
    rate = 6000


class Latency(Slow):
    name = "latency"
    what = "Every command and every reply of a member takes 50 to 250 ms more."
    delay = (0.05, 0.25)


class LatencyAll(Slow):
    name = "latency-all"
    what = "Every command and every reply of all members takes up to 150 ms more."
    delay = (0.01, 0.15)

    async def prepare(self) -> None:
        await super().prepare()
        self.members = self.lab.free()


class Refused(LinkFault):
    name = "refused"
    what = "The connections of a member break, and new ones are refused for 5 s."
    seconds = (4.0, 6.0)

    async def strike(self) -> None:
        self._before = len(self.tap.refused)
        self.tap.refusing = True
        self.tap.cut("reset")

    async def proof(self) -> str:
        refused = len(self.tap.refused) - self._before
        return f"{refused} connections refused" if refused else ""

    async def mend(self) -> None:
        self.tap.refusing = False
