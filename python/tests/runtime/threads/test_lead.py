"""Two threads of which one leads: who takes over, when, and who does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from redisipc import Stream
from redisipc.runtime.threads.lead import Lead

LIMIT = 10.0


class Second:
    """The thread that waits for the lead."""

    def __init__(self, lead: Lead) -> None:
        self.lead = lead
        self.leads = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        while not self.lead._over:
            if self.lead.wait(self.thread):
                self.leads.set()
                return

    def end(self) -> None:
        self.lead.end()
        self.thread.join(LIMIT)
        assert not self.thread.is_alive()


@pytest.fixture
def second() -> Iterator[Second]:
    second = Second(Lead(threading.current_thread()))
    yield second
    second.end()


def wait_until_asleep(lead: Lead) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if lead._asleep:
            return
        pause.wait(LIMIT / 1000)
    raise AssertionError("it still waits briefly, though nobody steps aside")


def test_a_leader_that_comes_back_at_once_still_leads(second: Second) -> None:
    lead, me = second.lead, threading.current_thread()
    for _ in range(1000):
        lead.step_aside()
        assert lead.come_back(me)
        assert lead.leader is me


def test_a_leader_that_stays_away_is_replaced(second: Second) -> None:
    lead, me = second.lead, threading.current_thread()
    lead.step_aside()
    assert lead.at_work is me
    assert second.leads.wait(LIMIT)
    assert lead.leader is second.thread
    assert not lead.watched
    assert not lead.come_back(me)
    assert lead.leader is second.thread
    assert lead.at_work is None


def test_who_sleeps_is_woken_by_a_leader_that_steps_aside(second: Second) -> None:
    wait_until_asleep(second.lead)
    second.lead.step_aside()
    assert second.leads.wait(LIMIT)


def test_the_one_that_was_replaced_takes_the_lead_in_its_turn(second: Second) -> None:
    lead, me = second.lead, threading.current_thread()
    lead.step_aside()
    assert second.leads.wait(LIMIT)
    assert not lead.come_back(me)
    lead.step_aside()  # on behalf of the other thread, which has ended
    for _ in range(1000):
        if lead.wait(me):
            break
    assert lead.leader is me


def warm(web: Stream, to: str) -> None:
    """By experience, the handlers are quick from now on."""
    for number in range(200):
        web.request(number, to=to)


def test_a_quick_handler_runs_on_the_thread_that_reads(stream: str, url: str) -> None:
    names: list[str] = []

    def handle(request: Any) -> None:
        names.append(threading.current_thread().name)

    stock, web = Stream(stream, "stock", url=url), Stream(stream, "web", url=url)
    stock.on_request(handle)
    with stock, web:
        for _ in range(20):
            warm(web, "stock")
            if names[-1].startswith("redisipc-stock-io"):
                return
    raise AssertionError(names[-1])


def test_a_handler_on_the_thread_that_reads_may_ask_and_leave(stream: str, url: str) -> None:
    """The other thread leads as long as it takes."""
    ended = threading.Event()

    def handle(request: Any) -> Any:
        if request.content == "ask":
            return stock.request("inner", to="stock", timeout=LIMIT)
        if request.content == "leave":
            stock.disconnect()
            ended.set()
        return threading.current_thread().name

    stock, web = Stream(stream, "stock", url=url), Stream(stream, "web", url=url)
    stock.on_request(handle)
    with stock, web:
        for _ in range(20):
            warm(web, "stock")
            if "-io" in web.request(1, to="stock"):
                break
        assert "redisipc-stock" in web.request("ask", to="stock", timeout=LIMIT)
        web.request("leave", to="stock", timeout=LIMIT)
        assert ended.wait(LIMIT)
    assert not stock.connected


def test_neither_thread_waits_while_it_runs_no_handler(stream: str, url: str) -> None:
    with Stream(stream, "stock", url=url) as stock:
        session: Any = stock._session
        session.check_wait()
        lead, thread = session.loop.lead, session.loop.thread
        assert session.loop.needs(thread)
        lead.at_work = thread
        try:
            assert not session.loop.needs(thread)
        finally:
            lead.at_work = None
        assert not session.loop.needs(threading.current_thread())
