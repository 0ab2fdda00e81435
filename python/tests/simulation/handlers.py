"""Handlers of a process: each request brings a plan along that says how its handler behaves."""

from __future__ import annotations

from redisipc.errors import AlreadyAnswered
from redisipc.protocol.events import Incoming

from .history import Ask, Run
from .ports import ActorPort


class Handlers:
    """Starts, ends and answers, as the request's plan says."""

    def __init__(self, actor: ActorPort) -> None:
        self.actor = actor
        self.running = 0
        self._full_since = 0.0
        self.waiting: dict[int, tuple[Incoming, Ask]] = {}

    def start(self, incoming: Incoming) -> None:
        """The core says so; a process that is paused right then starts it when it wakes up."""
        delay = self.actor.world.plan.start_delay
        if delay:
            self.actor.schedule.after(delay, self.actor.do, self._start, incoming)
        else:
            self._start(incoming)

    def _start(self, incoming: Incoming) -> None:
        actor = self.actor
        ask = actor.world.history.asks[int(incoming.content.partition(b" ")[0])]
        now = actor.schedule.now
        silence = actor.world.watch.silence(ask, actor, incoming.entry_id)
        ask.runs.append(Run(now, actor.record.number, incoming.starts, incoming.entry_id, silence))
        actor.record.starts.append(now)
        actor.world.started(actor, ask, incoming)
        self.running += 1
        if self.running == actor.world.plan.concurrency:
            self._full_since = now
        kind = ask.kind
        if kind == "quick":
            self._end(incoming, ask)
        elif kind == "nested":
            self._ask_another(incoming, ask)
        elif kind == "poison":
            actor.schedule.after(0.05, actor.do, actor.world.faults.crash_one, actor)
        elif kind == "later":
            actor.schedule.after(min(0.01, ask.duration), actor.do, self._leave, incoming)
            actor.schedule.after(ask.duration, actor.do, self._end_later, incoming, ask)
        else:
            actor.schedule.after(ask.duration, actor.do, self._end_later, incoming, ask)

    def _end_later(self, incoming: Incoming, ask: Ask) -> None:
        if incoming.data == "stopped":
            return
        self._end(incoming, ask)
        self.actor.pump()

    def _end(self, incoming: Incoming, ask: Ask) -> None:
        actor = self.actor
        now = actor.schedule.now
        if ask.kind == "silent":
            actor.endpoint.forget(incoming, now)
        else:
            status = "rejected" if ask.kind == "reject" else "fulfilled"
            ask.answers += 1
            ask.answered.append((now, actor.record.number))
            self._answer(incoming, status, b"[%d,%d]" % (ask.number, len(ask.runs)))
        self._done(incoming)

    def _answer(self, incoming: Incoming, status: str, text: bytes) -> None:
        try:
            self.actor.endpoint.answer(incoming, status, text, self.actor.schedule.now)
        except AlreadyAnswered:
            if not incoming.closed:
                raise
            self.actor.world.history.struck["handler outlived the disconnect"] += 1

    def _leave(self, incoming: Incoming) -> None:
        """The handler returns, its answer comes later."""
        self._done(incoming)
        self.actor.pump()

    def _done(self, incoming: Incoming) -> None:
        if not incoming.done:
            if self.running == self.actor.world.plan.concurrency:
                self.actor.record.full.append((self._full_since, self.actor.schedule.now))
            self.running -= 1
        self.actor.endpoint.handler_done(incoming, self.actor.schedule.now)

    def note_full(self) -> None:
        """The process ends, or the world does: it was full until now."""
        if self.running >= self.actor.world.plan.concurrency:
            self.actor.record.full.append((self._full_since, self.actor.schedule.now))

    def _ask_another(self, incoming: Incoming, ask: Ask) -> None:
        child = self.actor.world.nested(self.actor, ask)
        if child is None:
            self._end(incoming, ask)
            return
        child.parent = ask.number
        self.waiting[child.number] = (incoming, ask)

    def child_finished(self, child: Ask) -> None:
        parent = self.waiting.pop(child.number, None)
        if parent is not None and parent[0].data != "stopped":
            self._end(*parent)

    def cancelled(self, incoming: Incoming) -> None:
        """Half of the handlers heed it, the others go on and answer in vain."""
        if self.actor.random.random() < 0.5 and incoming.data is None:
            incoming.data = "stopped"
            self._done(incoming)
