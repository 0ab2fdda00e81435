"""The Redis user of the members loses a right, gets another password, or is switched off."""

from __future__ import annotations

from .base import Fault

COMMANDS = ("xadd", "xreadgroup", "xack", "xdel", "xclaim", "xpending", "xrange", "multi", "expire")
"""Commands that members use all the time, so that the fault soon shows."""


class RightTaken(Fault):
    """The user loses the right to one command, and gets it back."""

    name = "right-taken"
    what = "The user loses the right to one command (XADD, XREADGROUP, XACK, ...) for 5 s: NOPERM."
    to_redis = "rights"
    seconds = (4.0, 6.0)
    quiet = 5.0

    async def strike(self) -> None:
        self.command = self.random.choice(COMMANDS)
        await self.redis("ACL", "SETUSER", "default", f"-{self.command}")

    async def proof(self) -> str:
        refused = self.refused("NOPERM")
        return f"-{self.command}: {refused}" if refused else ""

    async def mend(self) -> None:
        await self.redis("ACL", "SETUSER", "default", "+@all")


class PasswordChanged(Fault):
    name = "password-changed"
    what = "The password changes and the connections end; 4 s later the old one is valid again."
    to_redis = "away"
    seconds = (3.0, 5.0)

    async def strike(self) -> None:
        await self.redis("ACL", "SETUSER", "default", "resetpass", ">another")
        await self.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await self.redis("CLIENT", "KILL", "TYPE", "pubsub")

    async def proof(self) -> str:
        return self.refused("NOAUTH", "WRONGPASS")

    async def mend(self) -> None:
        await self.redis("ACL", "SETUSER", "default", "nopass")


class UserOff(Fault):
    name = "user-off"
    what = "The user is switched off for 4 s."
    to_redis = "away"
    seconds = (3.0, 5.0)

    async def strike(self) -> None:
        await self.redis("ACL", "SETUSER", "default", "off")
        await self.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    async def proof(self) -> str:
        return self.refused("NOAUTH", "WRONGPASS", "NOPERM")

    async def mend(self) -> None:
        await self.redis("ACL", "SETUSER", "default", "on")
