"""Keeps the instance findable: its availability list and its announcement (RIPC-LIFE-7 to 12, RIPC-VERS-2)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from . import commands, replies
from .commands import Command, Failure, Step
from .endpoint_state import EndpointState
from .redis_errors import PERMANENT, class_of
from .settings import LEAST_JANITOR_AGE, NEVER
from .siblings import Siblings

_AGAIN = 1.0
"""Seconds after which a failed refresh is tried again."""
_NEW = 30.0
"""Seconds for which a newcomer looks around at each refresh: its siblings often start at the same time."""


class Registration:
    """``refreshed_at``: when Redis last confirmed that the list exists, in monotonic seconds."""

    def __init__(self, shared: EndpointState, siblings: Siblings) -> None:
        self.shared = shared
        self.siblings = siblings
        self.serving: bool = shared.settings.responder
        self.next_refresh: float | None = None
        self.refreshed_at: float = -NEVER
        self.read_own_list: Callable[[float], None] = lambda _now: None
        self.busy: Callable[[], bool] = lambda: False
        self._began_at = NEVER
        self._asked_at = -NEVER
        self._looked_at = -NEVER
        shared.outbox.adds_from = self.may_send_from

    def lines(self) -> list[Command]:
        """The commands that make this instance findable: one MULTI and the announcement."""
        names, settings = self.shared.names, self.shared.settings
        expiry = int(settings.registration_expiry)
        text = json.dumps(
            {
                "spec": "1.0",
                "implementation": "redisipc",
                "version": settings.version,
                "language": "python",
                # RIPC-VERS-5
                "features": ["wakeup"] if self.shared.listening else [],
                "roles": ["requester", "responder"] if self.serving else ["requester"],
                # RIPC-VERS-8
                "timeout_ms": max(1, round(settings.timeout * 1000)),
            }
        )
        listed = commands.register(names.registration, names.consumer, expiry)
        return [*listed, ("SET", names.announcement, text, "EX", expiry)]

    def announce(self) -> None:
        """Announce again what this instance can do: it began or stopped to listen for wake-ups, or to run requests."""
        if self.shared.connected:
            self.shared.step(Step([self.lines()[-1]], self._announced))

    def _announced(self, answers: list[Any], _now: float) -> None:
        failure = replies.first_failure(answers)
        if failure is not None and class_of(failure) is PERMANENT:
            self.shared.fail(failure)

    def registered(self, at: float) -> None:
        """Redis executed a registration, or an EXPIRE of the list, that was sent at this moment."""
        self.refreshed_at = at

    def may_send_from(self, now: float) -> float:
        """Requests may be written from then on: not before the list is known to exist (RIPC-LIFE-27)."""
        if not self._must_refresh(now):
            return -NEVER
        if now - self._asked_at >= _AGAIN:
            self.refresh(now)
        return self._asked_at + _AGAIN

    def _must_refresh(self, now: float) -> bool:
        return now - self.refreshed_at > self.shared.settings.refresh_before_request

    def due(self) -> float:
        return NEVER if self.next_refresh is None else self.next_refresh

    def tick(self, now: float) -> None:
        if self.next_refresh is not None and now >= self.next_refresh:
            self.refresh(now)

    def sooner(self, at: float) -> None:
        """Look for siblings by then: more depends on it than usual."""
        self._looked_at = -NEVER
        if self.next_refresh is not None and at < self.next_refresh:
            self.next_refresh = at

    def refresh(self, now: float) -> None:
        """Stay registered (RIPC-LIFE-11, RIPC-LIFE-12). An instance at rest does not look around each time."""
        shared, names, settings = self.shared, self.shared.names, self.shared.settings
        self.next_refresh = now + settings.refresh
        self._asked_at = now
        self._began_at = min(self._began_at, now)
        expiry = int(settings.registration_expiry)
        looks = self._looks_around(now)

        def done(answers: list[Any], at: float) -> None:
            self._refreshed(answers[0], answers[1], at)
            if isinstance(answers[0], Failure) and answers[0].kind == "NOPERM":
                # Without the right to EXPIRE no list can be kept: requests continue, in a group of one instance.
                self.registered(shared.sent_at)
            failure = replies.first_failure(answers)
            if failure is not None:
                shared.fail(failure)
            if looks and not isinstance(answers[2], Failure):
                shared.saw_time(answers[2], at)
            if looks and not isinstance(answers[3], Failure):
                self.siblings.saw_consumers(answers[3], at)

        lines: list[Command] = [("EXPIRE", names.registration, expiry), ("EXPIRE", names.announcement, expiry)]
        if looks:
            self._looked_at = now
            lines += self._look()
        if settings.janitor_age is not None:
            # RIPC-REDIS-4: by age and never by length: someone may wait for younger entries.
            age = max(settings.janitor_age, LEAST_JANITOR_AGE)
            lines.append(("XTRIM", names.stream, "MINID", max(0, int((shared.server_clock(now) - age) * 1000))))
        shared.step(Step(lines, done))
        if looks:
            self.read_own_list(now)

    def _looks_around(self, now: float) -> bool:
        """Whether this refresh also looks for siblings: at rest and alone, only as often as the statements require."""
        if self.siblings or self.shared.inflight or self.busy() or now - self._began_at < _NEW:
            return True
        return now + self.shared.settings.refresh - self._looked_at > self.shared.settings.around

    def _look(self) -> list[Command]:
        """Redis' clock, who is there (RIPC-GROUP-8), and a use of the dispatcher's consumer (RIPC-LIFE-13)."""
        names = self.shared.names
        return [
            ("TIME",),
            ("XINFO", "CONSUMERS", names.stream, names.group),
            commands.reset_idle(names.stream, names.group, names.dispatcher),
        ]

    def _refreshed(self, listed: Any, announced: Any, now: float) -> None:
        if listed == 1:
            self.registered(self.shared.sent_at)
        if listed == 0 or announced == 0:
            # The key is gone: Redis was emptied, or we slept too long. No sibling would hand us a response.
            self._register_anew()

    def _register_anew(self) -> None:
        shared = self.shared

        def done(answers: list[Any], now: float) -> None:
            failure = replies.first_failure(answers)
            lasts = failure is not None and class_of(failure) is PERMANENT
            if failure is None or lasts:
                # RIPC-RECOV-27: without the right to the list, requests continue.
                self.registered(shared.sent_at)
            if failure is not None:
                shared.fail(failure)
            if failure is not None and not lasts:
                self.sooner(now + _AGAIN)

        shared.step(Step(self.lines(), done))

    def reset(self, now: float) -> None:
        """Connected, for the first time or again."""
        self.next_refresh = now
        self._looked_at = -NEVER
