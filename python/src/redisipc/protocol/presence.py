"""Being found and finding others: registration, announcement, members of the own group, handing over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import commands, replies
from .commands import Command, Failure, Step
from .core import Core
from .events import CLOSING, UP
from .names import instance_of
from .settings import NEVER

DEAD_CONSUMER_IDLE = 120_000
"""Milliseconds after which an unregistered consumer with nothing pending may be deleted (RIPC-LIFE-23)."""


@dataclass(slots=True)
class Sibling:
    """Another registered instance of the own group."""

    consumer: bytes
    wakeup: bool
    seen: float


class Presence:
    """Keeps this instance findable and knows who else is in the group."""

    def __init__(self, core: Core, read_own: Callable[[list[Any], float], None], busy: Callable[[], bool]) -> None:
        self.core = core
        self.siblings: dict[bytes, Sibling] = {}
        self.next_refresh: float | None = None
        self.next_poll: float | None = None
        self._read_own = read_own
        self._busy = busy
        self._polling = False
        self._last_sent = 0.0
        self._waiting: dict[bytes, list[bytes]] = {}
        self._orphans: dict[bytes, tuple[bytes, float]] = {}
        self._final: set[bytes] = set()
        self.on_siblings: Callable[[], None] = lambda: None

    def registration(self) -> list[Command]:
        """The commands that make this instance findable: one MULTI and the announcement (RIPC-LIFE-7 to 10, RIPC-VERS-2)."""
        names, settings = self.core.names, self.core.settings
        expiry = int(settings.registration_expiry)
        # RIPC-VERS-5
        features = ["wakeup"] if self.core.listening else []
        text = json.dumps(
            {
                "spec": "1.0",
                "implementation": "redisipc",
                "version": settings.version,
                "language": "python",
                "features": features,
            }
        )
        return [
            *commands.register(names.registration, names.consumer, expiry),
            ("SET", names.announcement, text, "EX", expiry),
        ]

    def announce(self) -> None:
        """Say again what this instance can: it began or ceased to listen for wake-ups."""
        self.core.step(Step([self.registration()[-1]], _nothing))

    # regular work

    def due(self) -> float:
        first = NEVER if self.next_refresh is None else self.next_refresh
        if self.next_poll is not None and self.next_poll < first:
            first = self.next_poll
        if self._orphans:
            first = min(first, *(due for _, due in self._orphans.values()))
        return first

    def tick(self, now: float) -> None:
        if self.core.state not in (UP, CLOSING):
            return
        if self.next_refresh is not None and now >= self.next_refresh:
            self.refresh(now)
        if self.next_poll is not None and now >= self.next_poll:
            self.poll(now)
        for entry_id, (instance, due) in list(self._orphans.items()):
            if now >= due:
                del self._orphans[entry_id]
                self._final.add(entry_id)
                self._ask(instance, entry_id)

    def sent(self, now: float) -> None:
        """A request goes out: its response may be put into the own list soon."""
        self._last_sent = now
        due = self.next_poll
        if due is None or (due > now + self.core.settings.poll and due > now + self._interval(now)):
            self.next_poll = None
            self.plan(now)

    def plan(self, now: float) -> None:
        """Poll the own list while responses may be put there; refresh earlier while requests are outstanding."""
        settings = self.core.settings
        if not self._busy():
            self.next_poll = None
            return
        if self.next_refresh is not None:
            self.next_refresh = min(self.next_refresh, now + settings.refresh_busy)
        if self.next_poll is None and not self._polling:
            # Without a known sibling too: one that joined just now may hand us a response before we hear of it.
            self.next_poll = now + self._interval(now)

    def _interval(self, now: float) -> float:
        settings = self.core.settings
        if not self.siblings or (self.core.listening and self._all_wake()):
            return settings.poll_with_wakeups
        # The longer a response takes, the less a small delay matters, and the more reads in vain there would be.
        return min(settings.poll_most, max(settings.poll, settings.poll_share * (now - self._last_sent)))

    def _all_wake(self) -> bool:
        return all(sibling.wakeup for sibling in self.siblings.values())

    def poll(self, now: float) -> None:
        """Read the own consumer's pending list: responses that others handed to this instance (RIPC-GROUP-3, RIPC-GROUP-4)."""
        self.next_poll = None
        if self._polling:
            return
        self._polling = True
        names = self.core.names

        def done(answers: list[Any], at: float) -> None:
            self._polling = False
            if isinstance(answers[0], Failure):
                self.core.fail(answers[0])
                return
            entries = replies.read_entries(answers[0])
            self._read_own(entries, at)
            if len(entries) >= self.core.settings.read_count:
                self.poll(at)
            else:
                self.plan(at)

        def lost(_sent: bool, _now: float) -> None:
            self._polling = False

        line = commands.read_own(names.stream, names.group, names.consumer, self.core.settings.read_count)
        self.core.step(Step([line], done, lost))

    def refresh(self, now: float) -> None:
        """Stay registered, keep the own consumer's idle time low, look who is there (RIPC-LIFE-11 to 13, RIPC-GROUP-8)."""
        names, settings = self.core.names, self.core.settings
        self.next_refresh = now + settings.refresh
        expiry = int(settings.registration_expiry)

        def done(answers: list[Any], at: float) -> None:
            failure = replies.first_failure(answers)
            if failure is not None:
                self.core.fail(failure)
                return
            if answers[0] == 0 or answers[1] == 0:
                # The key is gone (Redis emptied, or we slept too long): nobody would hand us a response.
                self.core.step(Step(self.registration(), _nothing))
            self.core.server_offset = replies.seconds(answers[2]) - at
            self._saw_consumers(answers[3], at)

        lines: list[Command] = [
            ("EXPIRE", names.registration, expiry),
            ("EXPIRE", names.announcement, expiry),
            ("TIME",),
            ("XINFO", "CONSUMERS", names.stream, names.group),
            # RIPC-LIFE-13: the own consumer is read by poll().
            commands.touch(names.stream, names.group, names.dispatcher),
        ]
        if settings.janitor_age is not None:
            # RIPC-REDIS-4: by age and never by length: what is younger may be waited for.
            oldest = int((self.core.server_clock(now) - settings.janitor_age) * 1000)
            lines.append(("XTRIM", names.stream, "MINID", max(0, oldest)))
        self.core.step(Step(lines, done))
        self.poll(now)

    # who else is in the group

    def _saw_consumers(self, reply: Any, now: float) -> None:
        names = self.core.names
        by_instance: dict[bytes, list[replies.ConsumerInfo]] = {}
        for info in replies.consumers(reply):
            instance = instance_of(info.name)
            if instance is not None and instance != names.instance:
                by_instance.setdefault(instance, []).append(info)
        for instance in list(self.siblings):
            if instance not in by_instance:
                del self.siblings[instance]
        if not by_instance:
            return

        def done(answers: list[Any], at: float) -> None:
            for index, (instance, infos) in enumerate(by_instance.items()):
                self._learned(instance, answers[2 * index], answers[2 * index + 1], at)
                if answers[2 * index] == [] and all(
                    info.pending == 0 and info.idle > DEAD_CONSUMER_IDLE for info in infos
                ):
                    self._bury(infos)
            self.on_siblings()
            self.plan(at)

        lines = [line for instance in by_instance for line in self._questions(instance)]
        self.core.step(Step(lines, done))

    def _bury(self, infos: list[replies.ConsumerInfo]) -> None:
        names = self.core.names
        lines: list[Command] = [("XGROUP", "DELCONSUMER", names.stream, names.group, info.name) for info in infos]
        self.core.step(Step(lines, _nothing))

    def _questions(self, instance: bytes) -> list[Command]:
        names = self.core.names
        return [("LRANGE", names.registration_of(instance), 0, -1), ("GET", names.announcement_of(instance))]

    def _learned(self, instance: bytes, listed: Any, announced: Any, now: float) -> Sibling | None:
        if isinstance(listed, Failure):
            return self.siblings.get(instance)
        if not listed:
            self.siblings.pop(instance, None)
            return None
        preferred = b"consumer_%b_0" % instance
        wakeup = "wakeup" in _features(announced)
        sibling = Sibling(preferred if preferred in listed else listed[0], wakeup, now)
        self.siblings[instance] = sibling
        return sibling

    # handing over

    def hand_over(self, entry_id: bytes, instance: bytes, now: float) -> None:
        """Give a response to the instance that waits for it; ask first whether it is there (RIPC-ROUTE-7, RIPC-GROUP-5)."""
        sibling = self.siblings.get(instance)
        if sibling is not None and now - sibling.seen < self.core.settings.refresh * 1.5:
            self._give(entry_id, instance, sibling)
        elif entry_id not in self._orphans:
            self._ask(instance, entry_id)

    def _give(self, entry_id: bytes, instance: bytes, sibling: Sibling) -> None:
        wakeup = self.core.names.wakeup_of(instance) if sibling.wakeup else None
        self.core.outbox.hand_over(entry_id, sibling.consumer, wakeup)

    def _ask(self, instance: bytes, entry_id: bytes) -> None:
        waiting = self._waiting.get(instance)
        if waiting is not None:
            waiting.append(entry_id)
            return
        self._waiting[instance] = [entry_id]

        def done(answers: list[Any], now: float) -> None:
            ids = self._waiting.pop(instance, [])
            sibling = self._learned(instance, answers[0], answers[1], now)
            for id in ids:
                if sibling is not None:
                    self._final.discard(id)
                    self._give(id, instance, sibling)
                elif self.core.without("rule9"):
                    self.core.outbox.clean(id, None, now)
                elif id in self._final and not isinstance(answers[0], Failure):
                    # RIPC-ROUTE-8: nobody will ever take it: acknowledged only, it would stay in the stream for ever.
                    self._final.discard(id)
                    self.core.outbox.clean(id, id, now)
                else:
                    self._orphans[id] = (instance, now + self.core.settings.orphan_grace)

        def lost(_sent: bool, now: float) -> None:
            for id in self._waiting.pop(instance, []):
                # RIPC-ROUTE-8: a question without a reply does not shorten the grace.
                pause = 1.0 if id in self._final else self.core.settings.orphan_grace
                self._orphans[id] = (instance, now + pause)

        self.core.step(Step(self._questions(instance), done, lost))

    def reset(self) -> None:
        """The connection is new: nothing is on its way."""
        self._polling = False
        self.next_poll = None


def _features(announced: Any) -> list[Any]:
    """What an announcement says an instance can; nothing where it is none (RIPC-VERS-4)."""
    try:
        found = json.loads(announced).get("features")
    except (TypeError, ValueError, AttributeError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _nothing(_replies: list[Any], _now: float) -> None:
    return None
