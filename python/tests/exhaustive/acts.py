"""Events that come by themselves: members begin and close, requests are sent, answered and given up, messages arrive."""

from __future__ import annotations

from . import faults, properties
from .member import ANSWER, CANCEL, CLOSE, RETURN, SEND, WAKE, Key
from .member import START as BEGIN
from .ports import WorkPort
from .questions import Tables
from .state import ALIVE, CLOSED, NEVER, REPLIED, SENT, Item, State, Zombie

BEGINS, ASKS, DELETES, SENDS, CANCELS, CLOSES = "begin", "ask", "delete", "send", "cancel", "close"
ANSWERS, WAKES = "answer", "wake"
TAKES = "a gem takes"
RESPONDS, RELEASE, OUT_OF_PATIENCE, STRIKES = "respond", "release", "out of patience", "strike"
AT_ONCE = frozenset((RELEASE, OUT_OF_PATIENCE, *faults.ENDS))
"""The acts that come first when their time has come: another order is the same as another length of what ends."""
ASKER = b"f00000"
"""Instance id of a requester that is not a member of the world: it writes requests and takes responses, and that is all."""
GEM = b"consumer_fedcba_0"
"""The consumer of a gem of which nothing else is seen."""
OVERDUE = 3.0
"""Seconds after which a member takes a connection for lost on which a reply is stuck (RIPC-RECOV-25)."""


def request_id(number: int) -> bytes:
    """The id of a request of the asker."""
    return b"%021x" % (0xF0000 + number)


def possible(world: Tables, state: State, item: Item) -> bool:
    """Whether what it is about is there."""
    if item.kind in (RESPONDS, TAKES):
        number: int = item.about[0]
        return len(state.asks) > number
    if item.kind == CANCELS:
        member, number = item.about
        return bool(world.memories[member].views[state.seats[member].state].sent[number:])
    return True


def act(work: WorkPort, item: Item) -> None:
    kind, about = item.kind, item.about
    if kind in faults.ENDS:
        faults.ENDS[kind](work, *about)
    elif kind == BEGINS:
        work.tell(about[0], "begins")
        work.seats[about[0]] = work.seats[about[0]]._replace(life=ALIVE)
        work.call(about[0], BEGIN)
    elif kind == ASKS:
        _ask(work, about[0])
    elif kind == DELETES:
        _delete(work, about[0])
    elif kind == TAKES:
        _take(work, about[0])
    elif kind == RESPONDS:
        _respond(work, about[0])
    elif kind == ANSWERS:
        _answer(work, *about)
    elif kind == STRIKES:
        faults.strike(work, about)
    elif kind == RELEASE:
        _release(work, about[0])
    elif kind == OUT_OF_PATIENCE:
        _out_of_patience(work, *about)
    else:
        _call(work, kind, *about)


def _call(work: WorkPort, kind: str, member: int, *about: object) -> None:
    """A user calls its endpoint, while it lives."""
    if work.seats[member].life != ALIVE:
        return
    work.tell(member, f"{kind}: {', '.join(map(str, about))}")
    work.call(member, {SENDS: SEND, CANCELS: CANCEL, CLOSES: CLOSE, WAKES: WAKE}[kind], *about)


def _ask(work: WorkPort, number: int) -> None:
    fields = (
        "id", request_id(number), "instance_id", ASKER, "status", "pending", "content", "1",
        "source_group", "web", "destination_group", work.world.configuration.group,
    )  # fmt: skip
    known = len(work.asks)
    work.operate("asker", (("XADD", b"s", "NOMKSTREAM", "*", *fields),))
    if len(work.asks) == known:
        # There is no stream: tried again until there is one.
        work.after(1, ASKS, number)


def _delete(work: WorkPort, number: int) -> None:
    for index, ask in enumerate(work.asks):
        if ask.id == request_id(number) and not ask.outcome:
            work.asks[index] = ask._replace(outcome="timeout", ended=work.time)
            work.operate("asker", (("XDEL", b"s", ask.entry),))


def _take(work: WorkPort, number: int) -> None:
    """The owner of a request crashes, and a gem claims it, which adds 1 to its delivery count, and dies."""
    ask = work.asks[number]
    if ask.settled:
        return
    owner, _ = work.world.pending(work, ask.entry)
    if owner != NEVER:
        faults.strike(work, ("crash", 0, (), owner))
        ask = work.asks[number]
    work.asks[number] = ask._replace(excuses=ask.excuses | {"gem"})
    work.operate("gem", (("XCLAIM", b"s", work.world.configuration.group, GEM, 0, ask.entry),))


def _respond(work: WorkPort, number: int) -> None:
    """A responder that is not a member answers a request, however it came by it."""
    ask = work.asks[number]
    member = work.world.sender(work, ask.id)
    fields = (
        "id", ask.id, "instance_id", work.world.instance(member), "status", "fulfilled", "content", "done",
        "source_group", "stock", "destination_group", work.world.configuration.places[member].group,
    )  # fmt: skip
    work.operate("answerer", (("XADD", b"s", "NOMKSTREAM", "*", *fields), ("XDEL", b"s", ask.entry)))


def end_handler(work: WorkPort, member: int, run: Key) -> None:
    """A handler ends, and answers now or later."""
    work.tell(member, f"the handler of {work.world.naming.show(run[0])} ends")
    properties.ended(work, member, run)
    later = work.world.configuration.instant(work.world.configuration.later)
    if later:
        work.call(member, RETURN, run)
        work.after(later, ANSWERS, member, run)
    else:
        work.call(member, ANSWER, run)


def _answer(work: WorkPort, member: int, run: Key) -> None:
    if work.seats[member].life in (ALIVE, CLOSED):
        work.tell(member, f"{work.world.naming.show(run[0])} is answered")
        work.call(member, ANSWER, run)


# messages that are stuck


def _release(work: WorkPort, member: int) -> None:
    """The error that a read got arrives."""
    seat = work.seats[member]
    if seat.life == ALIVE and seat.read.phase == REPLIED and seat.read.held != NEVER:
        work.seats[member] = seat._replace(read=seat.read._replace(held=NEVER))
        if not work.may_lose(member):
            work.hear_read(member)


def hold(work: WorkPort, member: int) -> None:
    """The commands of a member, or the replies to them, are stuck."""
    seat = work.seats[member]
    work.holds -= 1
    work.tell(member, f"its {'commands are' if seat.write.phase == SENT else 'reply is'} stuck")
    work.seats[member] = seat._replace(write=seat.write._replace(held=work.time))
    lasts = work.world.configuration.instant(min(OVERDUE, work.world.configuration.slow))
    work.trouble(member, "stuck", lasts)
    work.after(lasts, OUT_OF_PATIENCE, member, work.time)


def go_on(work: WorkPort, member: int) -> None:
    """A message that was stuck arrives after all."""
    work.tell(member, "what was stuck arrives")
    seat = work.seats[member]
    work.seats[member] = seat._replace(write=seat.write._replace(held=NEVER))
    if seat.write.phase == SENT:
        work.write(member)
    elif seat.paused == NEVER:
        work.hear_write(member)


def _out_of_patience(work: WorkPort, member: int, since: int) -> None:
    """The member gives the connection up; what is stuck may still be executed. Before that time it arrives, if only slowly."""
    seat = work.seats[member]
    if seat.life != ALIVE or seat.write.held != since:
        return
    if work.world.configuration.slow < OVERDUE:
        go_on(work, member)
        return
    work.tell(member, "gives up the connection on which it is stuck")
    if seat.paused != NEVER:
        # Noticed when it continues.
        work.script.append(Item(seat.paused, seat.paused, OUT_OF_PATIENCE, (member, since)))
        return
    if seat.write.phase == SENT:
        commands = work.world.memories[member].views[seat.state].batch
        work.zombies.append(Zombie(member, commands, work.time + work.world.configuration.instant(OVERDUE)))
    work.lose_write(member)
