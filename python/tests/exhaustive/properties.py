"""The properties of every state: each one has a name, and a configuration says which it looks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .causes import causes, troubled
from .facts import Fact
from .member import Key
from .ports import WorkPort
from .state import ALIVE, CRASHED, NEVER, Ask, Run, Taken

PROPERTIES: dict[str, str] = {
    "started-again": "a request is started again only for a cause that G6 lists and the configuration allows (G4, G6)",
    "claimed": "what is started is pending for its starter, with a sign of life that is under 5 s old (RIPC-GROUP-9, 31)",
    "kept": "what a member holds that is well is never idle for 5 s (RIPC-GROUP-9, RIPC-ROUTE-16)",
    "taken": "a request is taken only from an owner without a sign of life for 10 s, or given back (RIPC-GROUP-13)",
    "twice": "an instance starts one delivery once (RIPC-RESP-1, RIPC-RECOV-4)",
    "rejected": "no instance rejects a request by itself (RIPC-GROUP-35)",
    "starts": "a request is started at most 3 times (G5)",
    "copies": "a request is stored once (RIPC-REQ-2, 3)",
    "responses": "there is at most one response to each run (RIPC-RESP-2, 14)",
    "outcome": "a send has at most one outcome (G2)",
    "in-time": "a send ends by its timeout + 1 s, while its process runs (G1)",
    "delivered": "a response stored 0.1 s before the deadline is the outcome (G9)",
    "answered": "the answer of a handler that ended is stored while its request is there (RIPC-GROUP-32)",
    "started": "what is stored is started or settled while a member of its group lives (G5)",
    "waits": "what is stored is started soon while a member of its group is well and free (G5)",
    "residue": "nothing is left on the stream, or pending, in the end (G8)",
    "spin": "no member asks again and again to be called at once",
    "no-pause": "no member reads again at once after Redis refused a read (RIPC-RECOV-26)",
    "core": "the core raises nothing",
}
ALL = frozenset(PROPERTIES)
SIGN = 5.0
"""Seconds that the last sign of life may be old when a request starts."""
RECLAIM_FROM = 10.0
"""Seconds without a sign of life after which a request may be taken over."""
MOST_STARTS = 3
ANSWER_WITHIN = 5.0
"""Seconds in which a member that is well again writes the answer that it has."""


# what Redis tells


def fact(work: WorkPort, given: Fact) -> None:
    """Redis changed something."""
    if given.kind == "added":
        _added(work, given)
    elif given.kind == "deleted":
        for index, ask in enumerate(work.asks):
            if ask.entry == given.entry and ask.deleted == NEVER:
                work.asks[index] = ask._replace(deleted=work.time)
    else:
        _moved(work, given)


def _edit(work: WorkPort, run: Key, change: Callable[[Ask], Ask]) -> None:
    for index, ask in enumerate(work.asks):
        if (ask.entry, ask.id) == run:
            work.asks[index] = change(ask)


def _added(work: WorkPort, given: Fact) -> None:
    fields = given.detail
    if fields[5] == b"pending":
        work.name(given.entry, f"r{len(work.asks)}")
        if any(ask.id == fields[1] for ask in work.asks):
            work.breaks("copies", "a request is stored a second time")
        work.asks.append(Ask(fields[1], given.entry, work.time, work.world.deadline(work, fields[1])))
        return
    work.name(given.entry, "response")
    if fields[5] == b"rejected":
        work.breaks("rejected", f"an instance rejects a request: {work.world.naming.show(fields[7])}")
    for index, ask in enumerate(work.asks):
        if ask.id == fields[1]:
            first = work.time if ask.replied == NEVER else ask.replied
            work.asks[index] = ask = ask._replace(replied=first, replies=ask.replies + 1)
            if ask.runs and ask.replies > len(ask.runs):
                work.breaks("responses", f"there are {ask.replies} responses to {len(ask.runs)} runs")
    work.responded(given.entry, fields)


def _moved(work: WorkPort, given: Fact) -> None:
    group, back = given.detail
    naming = work.world.naming
    owner, by = naming.member_of(given.owner), naming.member_of(given.other)
    if group != work.world.group or owner == by:
        return
    for index, ask in enumerate(work.asks):
        if ask.entry != given.entry:
            continue
        silence = given.idle_ms / 1000
        work.asks[index] = ask._replace(taken=Taken(work.time, owner, by, silence, back))
        lives = owner != NEVER and work.seats[owner].life == ALIVE
        excused = ask.excuses & work.world.configuration.causes
        if lives and not back and not excused and silence < RECLAIM_FROM:
            who, whom = naming.letter(by), naming.letter(owner)
            work.breaks("taken", f"{who} takes it from {whom}, whose last sign of life is {silence:g} s old")


# what a member tells its user


def output(work: WorkPort, member: int, out: tuple[Any, ...]) -> None:
    kind = out[0]
    if kind == "start":
        _start(work, member, *out[1:])
    elif kind == "finished":
        _finished(work, member, out[1], out[2])
    elif kind == "cancelled":
        work.tell(member, f"tells its handler to stop: {out[2]}")
        _stop(work, member, out[1])
    elif kind == "problem":
        work.tell(member, f"reports {out[1]}: {out[2]}")
    elif kind == "twice":
        work.breaks("twice", f"{work.world.naming.letter(member)} starts what it runs already")
    elif kind == "refused":
        work.tell(member, f"refuses the call: {out[1]}")


def _start(work: WorkPort, member: int, run: Key, starts: int) -> None:
    naming = work.world.naming
    who = naming.letter(member)
    work.tell(member, f"STARTS {naming.show(run[0])}, start {starts}")
    for index, ask in enumerate(work.asks):
        if (ask.entry, ask.id) != run:
            continue
        owner, idle = work.world.pending(work, run[0])
        if ask.runs:
            _again(work, ask, member, idle)
        if owner != member:
            work.breaks("claimed", f"{who} starts what is pending for {naming.letter(owner)}")
        elif idle > SIGN:
            work.breaks("claimed", f"{who} starts it {idle:g} s after the last sign of life")
        runs = (*ask.runs, Run(member, work.time))
        if len(runs) > MOST_STARTS:
            work.breaks("starts", f"it is started {len(runs)} times")
        work.asks[index] = ask._replace(runs=runs)


def _again(work: WorkPort, ask: Ask, member: int, idle: float) -> None:
    found = causes(work, ask, member, idle)
    allowed = found & work.world.configuration.causes
    for cause in sorted(allowed):
        work.reached(f"cause {cause}")
    if not allowed:
        last = ask.runs[-1]
        runs_on = ", which still runs" if last.end == NEVER and not last.stopped else ""
        why = f"only for {', '.join(sorted(found))}" if found else "without a cause"
        work.breaks(
            "started-again",
            f"it is started again after a run of {work.world.naming.letter(last.member)}{runs_on}: {why}",
        )


def _stop(work: WorkPort, member: int, key: Key) -> None:
    def change(ask: Ask) -> Ask:
        runs = (run._replace(stopped=True) if run.member == member and run.end == NEVER else run for run in ask.runs)
        return ask._replace(runs=tuple(runs))

    _edit(work, key, change)


def ended(work: WorkPort, member: int, key: Key) -> None:
    """A handler ended: the oldest run of it by this member."""

    def change(ask: Ask) -> Ask:
        runs = list(ask.runs)
        for index, run in enumerate(runs):
            if run.member == member and run.end == NEVER:
                runs[index] = run._replace(end=work.time)
                break
        return ask._replace(runs=tuple(runs))

    _edit(work, key, change)


def _finished(work: WorkPort, member: int, id: bytes, status: str) -> None:
    grid = work.world.configuration.grid
    known = [index for index, ask in enumerate(work.asks) if ask.id == id]
    work.tell(member, f"a send ends as {status}")
    if not known and status in ("fulfilled", "rejected"):
        work.breaks("outcome", f"a send ends as {status} that was never stored")
    for index in known:
        ask = work.asks[index]
        if ask.outcome:
            work.breaks("outcome", f"a send ends as {status} after it ended as {ask.outcome}")
        work.asks[index] = ask._replace(outcome=status, ended=work.time)
        if ask.deadline == NEVER:
            continue
        late = (work.time - ask.deadline) * grid
        if late > 1.0 and not work.world.stood_still(work, member, ask.deadline):
            work.breaks("in-time", f"a send ends {late:g} s after its deadline, as {status}")
        early = (ask.deadline - ask.replied) * grid if ask.replied != NEVER else 0.0
        if status == "timeout" and early >= 0.1 and not troubled(work, member, ask.deadline - 2, work.time):
            work.breaks("delivered", f"a send ends as timeout, its response was stored {early:g} s before the deadline")


# time


def at_rest(work: WorkPort) -> None:
    """Time passes: what has been true for a whole instant."""
    configuration = work.world.configuration
    # A member with few places may have had room only since then.
    narrow = [member for member, place in enumerate(configuration.places) if "concurrency" in place.options]
    freed = [run.end for ask in work.asks for run in ask.runs if run.member in narrow]
    for ask in work.asks:
        if ask.runs or ask.settled:
            continue
        since = max([ask.stored, *(work.time if one.end == NEVER else one.end for one in work.troubles), *freed])
        if (work.time - since) * configuration.grid > configuration.patience and work.world.somebody_free(work):
            waited = (work.time - ask.stored) * configuration.grid
            work.breaks("waits", f"it has waited for {waited:g} s, and a member is free and well")

    _kept(work)


def _kept(work: WorkPort) -> None:
    """A sign of life may be as old as the way to Redis is long: what was in trouble lately is not looked at."""
    world = work.world
    recently = work.time - world.configuration.instant(2 * SIGN)
    for member, seat in enumerate(work.seats):
        if seat.life == ALIVE and world.is_up(work, member) and not troubled(work, member, recently, work.time):
            for entry, idle in world.held(work, member):
                if idle > SIGN:
                    who = world.naming.letter(member)
                    work.breaks("kept", f"{world.naming.show(entry)} is pending for {who} and idle for {idle:g} s")


def at_end(work: WorkPort) -> None:
    """Nothing will happen any more, or the horizon is reached."""
    world, grid = work.world, work.world.configuration.grid
    living = [member for member, seat in enumerate(work.seats) if seat.life == ALIVE and world.serves(member)]
    for ask in work.asks:
        if not ask.settled and not ask.runs and living:
            work.breaks("started", f"it was never started, {(work.time - ask.stored) * grid:g} s after it was stored")
        done = [run for run in ask.runs if run.end != NEVER and work.seats[run.member].life != CRASHED]
        if done and ask.replied == NEVER:
            ready = max([run.end for run in done] + [one.end for one in work.troubles if one.end != NEVER])
            if ask.deleted == NEVER or (ask.deleted - ready) * grid > ANSWER_WITHIN:
                work.breaks("answered", "its handler ended, and no answer was written")
    for member, seat in enumerate(work.seats):
        due = [deadline for deadline in world.memories[member].views[seat.state].open if deadline + 1.0 < work.now]
        if due and seat.life == ALIVE and seat.paused == NEVER:
            work.breaks(
                "in-time",
                f"a send of {world.naming.letter(member)} has no outcome {work.now - due[0]:g} s after its deadline",
            )
    for text in world.left(work):
        work.breaks("residue", text)
