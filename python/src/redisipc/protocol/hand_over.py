"""Responses for another instance of the group: handed over, or kept for a while (RIPC-ROUTE-7, RIPC-ROUTE-8)."""

from __future__ import annotations

from typing import Any

from .commands import Failure, Step
from .endpoint_state import EndpointState
from .settings import NEVER
from .siblings import Sibling, Siblings

_SEEN_REFRESHES = 1.5
"""For so many refreshes, a sibling that was seen counts as registered."""
_AGAIN = 1.0
"""Seconds until the question about an instance is repeated if no answer came."""


class HandOver:
    """``in_grace``: responses whose instance is not registered, with the moment at which it is asked for again."""

    def __init__(self, shared: EndpointState, siblings: Siblings) -> None:
        self.shared = shared
        self.siblings = siblings
        self.in_grace: dict[bytes, tuple[bytes, float]] = {}
        self._asked: dict[bytes, list[bytes]] = {}
        self._since: dict[bytes, float] = {}

    def due(self) -> float:
        return min(due for _, due in self.in_grace.values()) if self.in_grace else NEVER

    def kept(self) -> list[bytes]:
        """Responses to keep alive, so that no sibling takes them over and restarts the wait (RIPC-ROUTE-16)."""
        if not self._asked:
            return list(self.in_grace)
        return [*self.in_grace, *(id for ids in self._asked.values() for id in ids)]

    def tick(self, now: float) -> None:
        for entry_id, (instance, due) in list(self.in_grace.items()):
            if now >= due:
                del self.in_grace[entry_id]
                self._ask(instance, entry_id)

    def take(self, entry_id: bytes, instance: bytes, now: float) -> None:
        """Give a response to the instance that waits for it; ask first whether it is there (RIPC-ROUTE-7, RIPC-GROUP-5)."""
        sibling = self.siblings.known.get(instance)
        if sibling is not None and now - sibling.seen < self.shared.settings.refresh * _SEEN_REFRESHES:
            self._give(entry_id, instance, sibling)
        elif entry_id not in self._since:
            self._since[entry_id] = now
            self._ask(instance, entry_id)

    def siblings_seen(self) -> None:
        """An instance that was not registered may be by now."""
        for entry_id, (instance, _) in list(self.in_grace.items()):
            sibling = self.siblings.known.get(instance)
            if sibling is not None:
                del self.in_grace[entry_id]
                self._give(entry_id, instance, sibling)

    def _give(self, entry_id: bytes, instance: bytes, sibling: Sibling) -> None:
        self._since.pop(entry_id, None)
        wakeup = self.shared.names.wakeup_of(instance) if sibling.wakeup else None
        self.shared.outbox.hand_over(entry_id, sibling.consumer, wakeup)

    def _ask(self, instance: bytes, entry_id: bytes) -> None:
        waiting = self._asked.get(instance)
        if waiting is not None:
            waiting.append(entry_id)
            return
        self._asked[instance] = [entry_id]

        def done(answers: list[Any], now: float) -> None:
            ids = self._asked.pop(instance, [])
            sibling = self.siblings.learn_one(instance, answers[0], answers[1], now)
            for id in ids:
                if sibling is not None:
                    self._give(id, instance, sibling)
                elif not isinstance(answers[0], Failure) and self._is_over(id, now):
                    self._settle(id, now)
                else:
                    self._wait(id, instance, now)

        def lost(_sent: bool, now: float) -> None:
            for id in self._asked.pop(instance, []):
                # A question without an answer does not shorten the grace period.
                self._wait(id, instance, now)

        self.shared.step(Step(self.siblings.questions(instance), done, lost))

    def _is_over(self, entry_id: bytes, now: float) -> bool:
        return now - self._since.get(entry_id, now) >= self._grace()

    def _grace(self) -> float:
        return self.shared.settings.grace

    def _wait(self, entry_id: bytes, instance: bytes, now: float) -> None:
        since = self._since.setdefault(entry_id, now)
        end = since + self._grace()
        self.in_grace[entry_id] = (instance, end if end > now else now + _AGAIN)

    def _settle(self, entry_id: bytes, now: float) -> None:
        """RIPC-ROUTE-8: no instance will ever take it. If only acknowledged, it would stay in the stream."""
        self._since.pop(entry_id, None)
        self.shared.outbox.clean(entry_id, entry_id, now)

    def forget_questions(self, now: float) -> None:
        """The questions about instances got no answer: ask again soon."""
        asked, self._asked = self._asked, {}
        for instance, ids in asked.items():
            for entry_id in ids:
                self._wait(entry_id, instance, now)

    def reset(self) -> None:
        """After a reconnect, all entries that are pending for us were found again, so the waiting responses, too."""
        self._since = {id: since for id, since in self._since.items() if id in self.in_grace or self._is_asked(id)}

    def _is_asked(self, entry_id: bytes) -> bool:
        return any(entry_id in ids for ids in self._asked.values())
