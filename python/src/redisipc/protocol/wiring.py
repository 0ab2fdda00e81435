"""Makes and connects the parts of one endpoint. Matters of several parts go through this object."""

from __future__ import annotations

import random
from typing import Any

from .busy import Busy
from .endpoint_state import EndpointState
from .hand_over import HandOver
from .inbox import Inbox
from .keepalive import KeepAlive
from .names import Names, new_instance_id
from .own_entries import OwnEntries
from .own_list import OwnList
from .pace import Pace
from .reclaim import Reclaimer
from .recovering import Recovering
from .registration import Registration
from .requester import Requester
from .responder import Responder
from .settings import Settings
from .siblings import Siblings


class Wiring:
    """The parts: requests sent, requests received, entries that were read, registration, taking over."""

    def __init__(self, settings: Settings, source: random.Random) -> None:
        self.settings = settings
        names = Names.of(settings.stream, settings.group, new_instance_id(source))
        shared = EndpointState(settings, source, names)
        self.shared: EndpointState = shared
        shared.outbox.fail = shared.fail
        self.requester: Requester = Requester(shared)
        self.responder: Responder = Responder(shared)
        self.siblings: Siblings = Siblings(shared)
        self.registration: Registration = Registration(shared, self.siblings)
        self.hand_over: HandOver = HandOver(shared, self.siblings)
        self.keepalive: KeepAlive = KeepAlive(shared, self.responder, self.hand_over.kept)
        self.busy: Busy = self.keepalive.busy
        self.inbox: Inbox = Inbox(shared, self.requester, self.responder, self.hand_over)
        self.pace: Pace = Pace(settings.read_pause)
        self.own_entries: OwnEntries = OwnEntries(shared, self._were_read)
        self.own_entries.alone = lambda: not self.siblings
        self.requester.own_entries = self.responder.answers.own_entries = self.own_entries
        self.own_list: OwnList = OwnList(
            shared, self.siblings, self.inbox.receive_own, lambda: bool(self.requester.outstanding)
        )
        self.reclaimer: Reclaimer = Reclaimer(shared, self.responder, self.siblings, self.inbox)
        self.recovering: Recovering = Recovering(
            shared, self.registration, self.siblings, self.responder, self.inbox, self._another_name
        )
        self.responder.siblings = self.siblings.responders
        self.responder.on_room = self.reclaimer.look_for_given_back
        self.responder.on_overload = self._look_for_siblings
        self.siblings.on_change = self._siblings_seen
        self.registration.read_own_list = self.own_list.poll
        self.registration.busy = lambda: bool(self.requester.outstanding or self.hand_over.in_grace)

    @property
    def makes_room(self) -> bool:
        """Whether the next read may bring more as soon as handlers are done: beside siblings it brings what can start."""
        return bool(self.shared.inflight and self.siblings)

    def _were_read(self, rows: list[Any], now: float, since: float) -> None:
        """Beside the blocked read."""
        self.shared.saw_read(rows[-1][0])
        self.inbox.receive(self.inbox.skip_others(rows, now), now, since)

    def _another_name(self) -> Names:
        """The chosen instance id belongs to another instance."""
        settings = self.settings
        self.shared.names = Names.of(settings.stream, settings.group, new_instance_id(self.shared.random))
        self.shared.outbox.names = self.shared.names
        return self.shared.names

    def _look_for_siblings(self) -> None:
        """Before requests are rejected for overload (RIPC-RESP-17)."""
        told = self.responder.siblings_known
        self.shared.carry_out(self.siblings.look(), lambda _none, now: told(now), told)

    def _siblings_seen(self, now: float) -> None:
        if self.shared.connected:
            self.responder.siblings_known(now)
            self.hand_over.siblings_seen()
            self.own_list.plan(now)
