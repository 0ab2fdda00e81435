"""The parts of one endpoint, made and joined here; what concerns several of them goes through this object."""

from __future__ import annotations

import random

from .core import Core
from .inbox import Inbox
from .keepalive import KeepAlive
from .names import Names, new_instance_id
from .presence import Presence
from .reclaim import Reclaimer
from .requester import Requester
from .responder import Responder
from .settings import Settings


class Parts:
    """Who does what: requests sent, requests received, what was read, being found, taking over."""

    def __init__(self, settings: Settings, source: random.Random) -> None:
        self.settings = settings
        self.core = Core(settings, source, Names.of(settings.stream, settings.group, new_instance_id(source)))
        self.requester = Requester(self.core)
        self.responder = Responder(self.core)
        self.keepalive = KeepAlive(self.core, self.responder)
        self.inbox = Inbox(self.core, self.requester, self.responder)
        self.presence = Presence(self.core, self.inbox.receive, lambda: bool(self.requester.outstanding))
        self.inbox.presence = self.presence
        self.presence.on_siblings = self._siblings_changed
        self.reclaimer = Reclaimer(
            self.core,
            self.responder,
            lambda entry, starts, redelivered, now: self.inbox.take(entry, now, starts, redelivered),
            lambda: len(self.presence.siblings),
        )
        self.responder.on_room = self.reclaimer.look_for_given_back

    def rename(self) -> Names:
        """Another instance id: the one chosen belongs to somebody else."""
        settings = self.settings
        self.core.names = Names.of(settings.stream, settings.group, new_instance_id(self.core.random))
        self.core.outbox.names = self.core.names
        return self.core.names

    def _siblings_changed(self) -> None:
        if self.presence.siblings and self.responder.queue and not self.core.without("rule8"):
            self.responder.give_back_queued()
