"""Sends and answers that Redis refuses with an error of no known class (RIPC-REQ-14, RIPC-RESP-25, RIPC-RESP-27)."""

from __future__ import annotations

from typing import Any

from redisipc.protocol.commands import Command, Failure
from redisipc.protocol.events import Finished, Problem, State, StateChanged

from ..support_core import Hand

NO_CLASS = Failure("ERR", "ERR that is nothing for this proxy")
EXHAUSTED = Failure("ERR", "ERR The stream has exhausted the last possible ID, unable to add more items")


def content_of(command: Command) -> bytes:
    return bytes(command[command.index(b"content") + 1])  # type: ignore[arg-type]


def contents(commands: list[Command]) -> list[bytes]:
    return [content_of(command) for command in commands if command[0] == "XADD"]


class Answering:
    """An endpoint that runs two requests at once; Redis refuses each response whose content has one of ``refused``."""

    def __init__(self, error: Failure, *refused: bytes) -> None:
        self.hand = Hand(concurrency=4).up()
        self.error, self.refused = error, refused
        self.rows = [self.hand.request(letter * 21) for letter in (b"p", b"q")]
        self.hand.read(*self.rows)
        self.hand.special |= {"XADD": self.add, "XPENDING": self.pending, "XRANGE": self.body}

    def add(self, command: Command) -> Any:
        found = any(part in content_of(command) for part in self.refused)
        return self.error if found else self.hand.next_id()

    def pending(self, command: Command) -> Any:
        mine = b"dispatcher_%b_0" % self.hand.instance
        return [[row[0], mine, 100, 1] for row in self.rows if row[0] in command]

    def body(self, command: Command) -> Any:
        return [row for row in self.rows if row[0] in command]

    def answer(self, *texts: bytes) -> list[Command]:
        """Answer the requests in turn, in one batch; what is written in the ten seconds after it."""
        endpoint, now = self.hand.endpoint, self.hand.now
        for start, text in zip(self.hand.started(), texts, strict=False):
            endpoint.answer(start.incoming, "fulfilled", text, now)
            endpoint.handler_done(start.incoming, now)
        return self.hand.pass_time(10.0)

    def reports(self) -> list[str]:
        return [event.message for event in self.hand.events if isinstance(event, Problem) and event.entry_id]


def test_an_answer_is_written_three_times_and_then_its_request_is_rejected() -> None:
    given = Answering(NO_CLASS, b"poison")
    written = contents(given.answer(b'"poison"'))
    assert written[:3] == [b'"poison"'] * 3
    assert len(written) == 4
    assert written[3].startswith(b'"not_encodable: ')
    assert [report for report in given.reports() if NO_CLASS.message in report] == given.reports() != []
    assert not any(i.entry_id == given.rows[0][0] for i in given.hand.endpoint.shared.inflight.values())


def test_a_rejection_that_is_refused_as_well_ends_the_request() -> None:
    given = Answering(NO_CLASS, b"poison", b"not_encodable")
    sent = given.answer(b'"poison"')
    written = contents(sent)
    assert [text.startswith(b'"not_encodable: ') for text in written] == [False] * 3 + [True] * 3
    assert len(given.reports()) == 2
    last = max(at for at, command in enumerate(sent) if command[0] == "XADD")
    names = [command[0] for command in sent[last:] if given.rows[0][0] in command]
    assert [name for name in names if name in ("XACK", "XDEL")][-2:] == ["XACK", "XDEL"]
    assert len(given.hand.started()) == 2


def test_the_answer_that_was_written_with_it_arrives_once() -> None:
    given = Answering(NO_CLASS, b"poison")
    written = contents(given.answer(b'"poison"', b'"fine"'))
    # Both were refused with their MULTI; then each is written alone.
    assert written.count(b'"fine"') == 2
    assert written.count(b'"poison"') == 3
    assert given.hand.endpoint.shared.counts.fulfilled == 1


def test_an_error_inside_exec_is_about_its_own_answer() -> None:
    given = Answering(EXHAUSTED, b"poison")
    sent = given.answer(b'"poison"', b'"fine"')
    written = contents(sent)
    assert written.count(b'"fine"') == 1
    assert written.count(b'"poison"') == 3
    assert written[-1].startswith(b'"not_encodable: ')
    # Its request was acknowledged and deleted by that EXEC: nobody claims it any more.
    first = next(at for at, command in enumerate(sent) if command[0] == "EXEC")
    claimed = [command for command in sent[first:] if command[0] == "XCLAIM" and given.rows[0][0] in command]
    assert claimed == []


def test_an_answer_without_its_request_is_let_go_when_its_connection_breaks() -> None:
    given = Answering(EXHAUSTED, b"poison")
    hand = given.hand
    hand.endpoint.answer(hand.started()[0].incoming, "fulfilled", b'"poison"', hand.now)
    hand.write()
    while hand.under_way is None:
        hand.now += 0.02
        hand.endpoint.tick(hand.now)
        if hand.endpoint.shared.outbox.alone and hand.endpoint.state is State.UP:
            assert b'"poison"' in contents(hand.begin().commands)
        else:
            hand.write()
    hand.lose()
    hand.pass_time(2.0)
    assert given.rows[0][0] not in hand.endpoint.shared.inflight


def test_a_send_that_is_refused_so_fails_and_the_connection_counts_as_lost() -> None:
    hand = Hand().up()
    hand.special["XADD"] = NO_CLASS
    refused = hand.endpoint.send(b"1", "stock", 5.0, hand.now)
    hand.write()
    ended = [event for event in hand.events if isinstance(event, Finished)]
    assert [(event.outgoing, event.outcome.status) for event in ended] == [(refused, "failed")]
    assert [event.state for event in hand.events if isinstance(event, StateChanged)] == [State.DOWN]
    hand.special.clear()
    assert contents(hand.pass_time(5.0)) == []
    assert hand.endpoint.state is State.UP
