"""The other members of the group: found in Redis' list of consumers, alive while their availability lists exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import replies
from .announced import read
from .commands import Command, Failure, Step
from .endpoint_state import EndpointState, Procedure
from .names import instance_of
from .ownership import checked
from .redis_errors import PERMANENT, class_of
from .replies import ConsumerInfo
from .restoring import CONSUMERS_A_BATCH, delete_consumers

_ASKED_EVERY = 3
"""A known sibling is checked at every third look (RIPC-GROUP-8: within 30 s)."""
LOOK_BEFORE_DELETE = 3.0
"""Seconds after a look in which a consumer may be deleted because of it (RIPC-LIFE-23)."""


class Sibling:
    """Another registered instance of the same group. ``seen``: when its list was seen last."""

    __slots__ = ("consumer", "responder", "seen", "wakeup")

    def __init__(self, consumer: bytes, wakeup: bool, responder: bool, seen: float) -> None:
        self.consumer: bytes = consumer
        self.wakeup: bool = wakeup
        self.responder: bool = responder
        self.seen: float = seen


class Siblings:
    """``known``: the registered ones by instance. ``on_change`` is called after each look at who is there."""

    def __init__(self, shared: EndpointState) -> None:
        self.shared = shared
        self.known: dict[bytes, Sibling] = {}
        self.learnt: bool = False
        self.on_change: Callable[[float], None] = lambda _now: None
        self._turn = 0

    def __bool__(self) -> bool:
        return bool(self.known)

    def responders(self) -> int | None:
        """How many siblings run requests. None before the first look (RIPC-VERS-7)."""
        if not self.learnt:
            return None
        return sum([sibling.responder for sibling in self.known.values()]) if self.known else 0

    def all_wake(self) -> bool:
        return all(sibling.wakeup for sibling in self.known.values())

    def instances(self, reply: Any) -> dict[bytes, list[ConsumerInfo]]:
        """XINFO CONSUMERS by instance, without our own and without names that are not RedisIPC names."""
        found: dict[bytes, list[ConsumerInfo]] = {}
        for info in replies.consumers(reply):
            instance = instance_of(info.name)
            if instance is not None and instance != self.shared.names.instance:
                found.setdefault(instance, []).append(info)
        return found

    def questions(self, instance: bytes) -> list[Command]:
        names = self.shared.names
        return [("LRANGE", names.registration_of(instance), 0, -1), ("GET", names.announcement_of(instance))]

    def saw_consumers(self, reply: Any, now: float) -> None:
        """Ask about new siblings, and about every third of the others: each costs two commands."""
        infos = self.instances(reply)
        for instance in [instance for instance in self.known if instance not in infos]:
            del self.known[instance]
        self._turn += 1
        due = self.shared.settings.refresh * (_ASKED_EVERY - 0.5)
        asked = [
            instance for index, instance in enumerate(infos)
            if instance not in self.known
            or (index + self._turn) % _ASKED_EVERY == 0
            or now - self.known[instance].seen > due
        ]  # fmt: skip
        if not asked:
            self._learnt(now)
            return

        def done(answers: list[Any], at: float) -> None:
            self.learn(asked, answers, at)
            self._delete_dead(
                [info for i, instance in enumerate(asked) if answers[2 * i] == [] for info in infos[instance]],
                infos,
                at,
            )

        self.shared.step(Step([line for instance in asked for line in self.questions(instance)], done))

    def look(self) -> Procedure[None]:
        """The members at this moment, and the known ones that have left."""
        names = self.shared.names
        [reply] = checked((yield [("XINFO", "CONSUMERS", names.stream, names.group)]))
        instances = self.instances(reply)
        for instance in [instance for instance in self.known if instance not in instances]:
            del self.known[instance]
        strangers = [instance for instance in instances if instance not in self.known]
        if strangers:
            answers = yield [line for instance in strangers for line in self.questions(instance)]
            for index, instance in enumerate(strangers):
                self.learn_one(instance, answers[2 * index], answers[2 * index + 1], self.shared.now)

    def learn(self, instances: list[bytes], answers: list[Any], now: float) -> None:
        """The answers to the questions about these instances."""
        for index, instance in enumerate(instances):
            self.learn_one(instance, answers[2 * index], answers[2 * index + 1], now)
        self._learnt(now)

    def _learnt(self, now: float) -> None:
        self.learnt = True
        self.on_change(now)

    def learn_one(self, instance: bytes, listed: Any, announced: Any, now: float) -> Sibling | None:
        for answer in (listed, announced):
            if isinstance(answer, Failure) and class_of(answer) is PERMANENT:
                # Without the right, responses are not handed over to who is unknown: they come at the timeout only.
                self.shared.fail(answer)
        if isinstance(listed, Failure):
            return self.known.get(instance)
        if not listed:
            self.known.pop(instance, None)
            return None
        preferred = b"consumer_%b_0" % instance
        said = read(announced)
        sibling = Sibling(
            preferred if preferred in listed else listed[0],
            "wakeup" in _list(said, "features"),
            "roles" not in said or "responder" in _list(said, "roles"),
            now,
        )
        self.known[instance] = sibling
        return sibling

    # those that died

    def _delete_dead(
        self, unregistered: list[ConsumerInfo], infos: dict[bytes, list[ConsumerInfo]], now: float
    ) -> None:
        """Delete consumers that no instance uses any more (RIPC-LIFE-23)."""
        if self._may_delete_dead(now):
            names = self._abandoned(unregistered, infos)
            if names:
                self.shared.carry_out(self._delete(names))

    def _abandoned(self, unregistered: list[ConsumerInfo], infos: dict[bytes, list[ConsumerInfo]]) -> list[bytes]:
        idle = self.shared.settings.dead_consumer * 1000
        return [
            info.name for info in unregistered
            if all(each.pending == 0 and each.idle > idle for each in infos[instance_of(info.name) or b""])
        ]  # fmt: skip

    def _may_delete_dead(self, now: float) -> bool:
        """After an outage, all look unused until every instance is back."""
        return now - self.shared.up_since >= self.shared.settings.connected_before_delete

    def _delete(self, names: list[bytes]) -> Procedure[None]:
        """In parts, each after a look of its own: an instance may have just come back (RIPC-LIFE-23)."""
        for start in range(0, len(names), CONSUMERS_A_BATCH):
            dead = yield from self._still_dead(names[start : start + CONSUMERS_A_BATCH])
            yield from delete_consumers(self.shared, dead, self.shared.sent_at + LOOK_BEFORE_DELETE)

    def _still_dead(self, names: list[bytes]) -> Procedure[list[bytes]]:
        """Those that no instance has used or registered since."""
        own = self.shared.names
        asked = list(dict.fromkeys(instance_of(name) or b"" for name in names))
        looks: list[Command] = [("LRANGE", own.registration_of(instance), 0, -1) for instance in asked]
        answers = checked((yield [("XINFO", "CONSUMERS", own.stream, own.group), *looks]))
        infos = self.instances(answers[0])
        gone = [info for i, instance in enumerate(asked) if not answers[i + 1] for info in infos.get(instance, ())]
        return [name for name in self._abandoned(gone, infos) if name in names]


def _list(said: dict[str, Any], key: str) -> list[Any]:
    found = said.get(key)
    return found if isinstance(found, list) else []
